package main

import (
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
)

// Offsets in SessionState.Bytes, whose layout ticket.go of crypto/tls documents.
const (
	cipherAt  = 3
	createdAt = 5
	afterTime = 13
)

// exported is a session in Go's own format: the ticket with its length, then the state.
func exported(session *tls.ClientSessionState) (object, error) {
	ticket, state, err := session.ResumptionState()
	if err != nil {
		return nil, err
	}
	encoded, err := state.Bytes()
	if err != nil {
		return nil, err
	}
	opaque := binary.BigEndian.AppendUint32(nil, uint32(len(ticket)))
	opaque = append(append(opaque, ticket...), encoded...)
	fields := object{
		"cipher":        binary.BigEndian.Uint16(encoded[cipherAt:]),
		"time":          binary.BigEndian.Uint64(encoded[createdAt:]),
		"has_ticket":    len(ticket) > 0,
		"ticket":        hex.EncodeToString(ticket),
		"ticket_length": len(ticket),
	}
	if binary.BigEndian.Uint16(encoded) == tls.VersionTLS13 {
		useBy := binary.BigEndian.Uint64(encoded[len(encoded)-12:])
		fields["version"] = "1.3"
		fields["lifetime_hint"] = useBy - binary.BigEndian.Uint64(encoded[createdAt:])
		fields["age_add"] = binary.BigEndian.Uint32(encoded[len(encoded)-4:])
	} else {
		fields["version"] = "1.2"
	}
	return object{"der": nil, "handle": nil, "resumable": nil, "opaque": hex.EncodeToString(opaque), "fields": fields}, nil
}

// imported is a new object made of what exported gave.
func imported(text string) (*tls.ClientSessionState, error) {
	data, err := hex.DecodeString(text)
	if err != nil || len(data) < 4 || len(data)-4 < int(binary.BigEndian.Uint32(data)) {
		return nil, errors.New("the session is not one that this agent exported")
	}
	length := int(binary.BigEndian.Uint32(data))
	state, err := tls.ParseSessionState(data[4+length:])
	if err != nil {
		return nil, err
	}
	return tls.NewResumptionState(data[4:4+length], state)
}

// backdated is the state with a time that many seconds earlier; Go knows no other way to make a session older.
func backdated(state *tls.SessionState, seconds int64) (*tls.SessionState, error) {
	encoded, err := state.Bytes()
	if err != nil {
		return nil, err
	}
	made := binary.BigEndian.Uint64(encoded[createdAt:afterTime])
	binary.BigEndian.PutUint64(encoded[createdAt:], uint64(int64(made)-seconds))
	return tls.ParseSessionState(encoded)
}

// A cache holds what one connection offers, and what it was given.
type cache struct {
	offer    *tls.ClientSessionState
	sessions []object
}

func (c *cache) Get(string) (*tls.ClientSessionState, bool) { return c.offer, c.offer != nil }

func (c *cache) Put(_ string, session *tls.ClientSessionState) {
	if session == nil { // crypto/tls forgets a session that has failed
		return
	}
	if made, err := exported(session); err == nil {
		c.sessions = append(c.sessions, made)
	}
}
