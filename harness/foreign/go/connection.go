package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// Alerts (RFC 8446, 6) that are warnings.
var warnings = map[int]bool{0: true, 90: true, 100: true}

// A tap is the TCP connection, and knows how its input has ended: crypto/tls gives io.EOF for both ways to end.
type tap struct {
	net.Conn
	ended atomic.Bool
}

func (t *tap) Read(into []byte) (int, error) {
	read, err := t.Conn.Read(into)
	if errors.Is(err, io.EOF) {
		t.ended.Store(true)
	}
	return read, err
}

// A connection carries out its requests one after the other.
type connection struct {
	context *context
	name    string
	begin   func() (*tap, *failure)
	queue   chan request
	dropped atomic.Bool

	lock    sync.Mutex // of raw
	raw     *tap
	tls     *tls.Conn
	cache   cache
	failed  *failure
	rest    []byte
	ending  string
	tickets int
	alerts  []object
	hidden  bool // an alert was sent of which crypto/tls does not tell the number
	keylog  bytes.Buffer
	errors  []queueEntry
}

func (c *connection) run(first request) {
	raw, failed := c.begin()
	if failed != nil {
		c.failed = failed
		first.fail(failed)
	} else {
		c.lock.Lock()
		c.raw = raw
		if c.dropped.Load() {
			raw.Close()
		}
		c.lock.Unlock()
		c.tls = c.context.secured(c)
		first.succeed(nil)
	}
	for one := range c.queue {
		found, failed := c.carryOut(one)
		if c.dropped.Load() {
			one.fail(usage("the context of %s was freed", c.name))
			continue
		}
		if failed != nil {
			one.fail(failed)
			continue
		}
		one.succeed(found)
		if one.verb == "release" {
			return
		}
	}
}

func (c *connection) drop() {
	c.dropped.Store(true)
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.raw != nil {
		c.raw.Close()
	}
}

func (c *connection) carryOut(one request) (object, *failure) {
	if reason, lacks := lacking[one.verb]; lacks {
		return nil, lack("%s: %s", one.verb, reason)
	}
	switch one.verb {
	case "release":
		return c.release(), nil
	case "session":
		if len(c.cache.sessions) == 0 {
			return object{"session": c.resumed()}, nil
		}
		return object{"session": c.cache.sessions[len(c.cache.sessions)-1]}, nil
	case "sessions":
		return object{"sessions": append([]object{}, c.cache.sessions...)}, nil
	}
	if c.failed != nil {
		return nil, c.failed
	}
	if one.verb == "handshake" {
		if err := c.tls.Handshake(); err != nil {
			c.failed = c.failure(err, true)
			return nil, c.failed
		}
		return nil, nil
	}
	if !c.tls.ConnectionState().HandshakeComplete {
		return nil, usage("%s is allowed after a completed handshake", one.verb)
	}
	switch one.verb {
	case "write":
		data, _ := hex.DecodeString(one.text("data"))
		if _, err := c.tls.Write(data); err != nil {
			return nil, c.failure(err, false)
		}
		return nil, nil
	case "read_line":
		return c.readLine()
	case "shutdown":
		if err := c.tls.CloseWrite(); err != nil {
			return nil, c.failure(err, false)
		}
		c.alerts = append(c.alerts, object{"level": 1, "number": 0, "sent": true})
		return nil, nil
	default: // await_end
		for c.ending == "" {
			if failed := c.read(); failed != nil && c.ending == "" {
				return nil, failed
			}
			c.rest = nil
		}
		return object{"ending": c.ending}, nil
	}
}

// read takes in more data; afterwards the input may have ended, which ending says.
func (c *connection) read() *failure {
	if c.ending != "" {
		return nil
	}
	buffer := make([]byte, 1<<14)
	count, err := c.tls.Read(buffer)
	c.rest = append(c.rest, buffer[:count]...)
	if err != nil {
		failed := c.failure(err, false)
		if failed.Kind != "end" {
			return failed
		}
		c.ending = failed.End
		if failed.End == "close_notify" {
			c.alerts = append(c.alerts, object{"level": 1, "number": 0, "sent": false})
		}
	}
	return nil
}

func (c *connection) readLine() (object, *failure) {
	for {
		if end := bytes.IndexByte(c.rest, '\n'); end >= 0 {
			line := c.rest[:end+1]
			c.rest = c.rest[end+1:]
			return object{"data": hex.EncodeToString(line), "end": nil}, nil
		}
		if c.ending != "" {
			line := c.rest
			c.rest = nil
			return object{"data": hex.EncodeToString(line), "end": c.ending}, nil
		}
		if failed := c.read(); failed != nil {
			return nil, failed
		}
	}
}

// failure says how the library failed, and keeps the alert that was sent or received.
func (c *connection) failure(err error, shaking bool) *failure {
	var operation *net.OpError
	var record tls.RecordHeaderError
	text := err.Error()
	switch {
	case errors.As(err, &operation) && (operation.Op == "remote error" || operation.Op == "local error"):
		number := int(reflect.ValueOf(operation.Err).Uint()) // alert is a type of crypto/tls, a uint8
		sent, level := operation.Op == "local error", 2
		if warnings[number] {
			level = 1
		}
		c.alert(object{"level": level, "number": number, "sent": sent})
		entry := queueEntry{0, number, text}
		c.errors = append(c.errors, entry)
		if sent || shaking {
			return &failure{Kind: "tls", Message: text, Queue: []queueEntry{entry}}
		}
		return &failure{Kind: "end", Message: text, End: "alert", Queue: []queueEntry{entry}}
	case errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		return &failure{Kind: "end", Message: text, End: "reset"}
	case errors.Is(err, io.EOF) && !c.raw.ended.Load():
		return &failure{Kind: "end", Message: "the peer sent close_notify", End: "close_notify"}
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return &failure{Kind: "end", Message: text, End: "eof"}
	case errors.As(err, &record):
		c.hidden = true
	default:
		c.hidden = true // crypto/tls sends an alert with most of its errors, and does not tell which
	}
	entry := queueEntry{0, 0, text}
	c.errors = append(c.errors, entry)
	return &failure{Kind: "tls", Message: text, Queue: []queueEntry{entry}}
}

// alert keeps one that is fatal once: each later call of crypto/tls gives the same error again.
func (c *connection) alert(one object) {
	for _, before := range c.alerts {
		if reflect.DeepEqual(before, one) {
			return
		}
	}
	c.alerts = append(c.alerts, one)
}

// resumed is the session that was offered, if the connection resumed it: crypto/tls leaves it in the client's cache.
func (c *connection) resumed() any {
	if c.cache.offer == nil || c.tls == nil || !c.tls.ConnectionState().DidResume {
		return nil
	}
	made, err := exported(c.cache.offer)
	if err != nil {
		return nil
	}
	return made
}

func (c *connection) release() object {
	facts := c.facts()
	if c.raw != nil {
		if tcp, ok := c.raw.Conn.(*net.TCPConn); ok {
			drain(tcp)
		}
		c.raw.Close()
	}
	c.context.agent.forget(c.name)
	return object{"facts": facts}
}

// drain reads what has arrived, so that the end is a FIN and no reset.
func drain(tcp *net.TCPConn) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	buffer := make([]byte, 1<<14)
	raw.Read(func(fd uintptr) bool {
		for {
			count, err := syscall.Read(int(fd), buffer)
			if err == syscall.EINTR {
				continue
			}
			if count <= 0 || err != nil {
				return true
			}
		}
	})
}

func (c *connection) facts() object {
	facts := object{
		"finished": false, "reused": nil, "reused_at_end": nil, "evidence": "", "version": nil, "cipher": nil,
		"alpn": nil, "server_name": nil, "peer_certificate": nil, "early_data": nil, "early_bytes": nil,
		"new_sessions": nil, "group": nil, "peer_temp_key": nil, "peer_chain": nil, "exporter": nil, "tickets": nil,
		"alerts": nil, "keylog": []string{}, "errors": append([]queueEntry{}, c.errors...), "counters": nil,
	}
	if !c.hidden {
		facts["alerts"] = append([]object{}, c.alerts...)
	}
	if lines := strings.Fields(strings.ReplaceAll(c.keylog.String(), " ", "\x00")); len(lines) > 0 {
		for at, line := range lines {
			lines[at] = strings.ReplaceAll(line, "\x00", " ")
		}
		facts["keylog"] = lines
	}
	if c.tls == nil {
		return facts
	}
	state := c.tls.ConnectionState()
	if c.context.role == "client" {
		facts["new_sessions"] = len(c.cache.sessions)
	} else {
		facts["tickets"] = c.tickets
	}
	if !state.HandshakeComplete {
		return facts
	}
	facts["finished"] = true
	facts["reused"], facts["reused_at_end"] = state.DidResume, state.DidResume
	facts["evidence"] = fmt.Sprintf("ConnectionState.DidResume == %v", state.DidResume)
	facts["version"] = map[uint16]string{tls.VersionTLS12: "1.2", tls.VersionTLS13: "1.3"}[state.Version]
	facts["cipher"] = cipherName(state.CipherSuite)
	if state.NegotiatedProtocol != "" {
		facts["alpn"] = state.NegotiatedProtocol
	}
	if state.ServerName != "" {
		facts["server_name"] = state.ServerName
	}
	facts["peer_certificate"] = len(state.PeerCertificates) > 0
	facts["early_data"] = "not_sent"
	if state.Version == tls.VersionTLS13 || !state.DidResume {
		if group, known := groupNames[state.CurveID]; known {
			facts["group"] = group
		}
	} else {
		facts["group"] = ""
	}
	chain := []string{}
	for _, one := range state.PeerCertificates {
		digest := sha256.Sum256(one.Raw)
		chain = append(chain, hex.EncodeToString(digest[:]))
	}
	facts["peer_chain"] = chain
	if material, err := state.ExportKeyingMaterial("EXPORTER-resumption-harness", nil, 32); err == nil {
		digest := sha256.Sum256(material)
		facts["exporter"] = hex.EncodeToString(digest[:])
	}
	return facts
}
