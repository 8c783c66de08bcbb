package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

const requestsAhead = 1 << 12

type context struct {
	agent     *agent
	role      string
	config    *tls.Config
	older     int64 // seconds by which each ticket is backdated
	olderLock sync.Mutex
}

// secured is the TLS connection, with a Config of its own for what crypto/tls reports through one.
func (x *context) secured(c *connection) *tls.Conn {
	config := x.config.Clone()
	config.KeyLogWriter = &c.keylog
	if x.role == "client" {
		config.ClientSessionCache = &c.cache
		return tls.Client(c.raw, config)
	}
	config.UnwrapSession = x.config.DecryptTicket // the keys are the context's
	config.WrapSession = func(state tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
		c.tickets++
		x.olderLock.Lock()
		older := x.older
		x.olderLock.Unlock()
		if older != 0 {
			aged, err := backdated(session, older)
			if err != nil {
				return nil, err
			}
			session = aged
		}
		return x.config.EncryptTicket(state, session)
	}
	return tls.Server(c.raw, config)
}

type listener struct {
	context *context
	socket  net.Listener
	waiting chan func()
	closed  chan struct{}
}

func (l *listener) run() {
	for {
		select {
		case <-l.closed:
			return
		case accept := <-l.waiting:
			accept()
		}
	}
}

type agent struct {
	lock        sync.Mutex
	contexts    map[string]*context
	listeners   map[string]*listener
	connections map[string]*connection
	dials       chan func()
}

func newAgent() *agent {
	made := &agent{
		contexts:    map[string]*context{},
		listeners:   map[string]*listener{},
		connections: map[string]*connection{},
		dials:       make(chan func(), requestsAhead),
	}
	go func() { // TCP connects are made in the order of the requests
		for dial := range made.dials {
			dial()
		}
	}()
	return made
}

func (a *agent) serve(line []byte) {
	if line == nil {
		reply(nil, nil, usage("a line has at most %d bytes", longestLine))
		return
	}
	id, one, failed := parse(line)
	if failed != nil {
		reply(id, nil, failed)
		return
	}
	found, failed := a.carryOut(one)
	if failed != nil {
		one.fail(failed)
	} else if found != nil {
		one.succeed(found)
	}
}

func known[T any](objects map[string]T, name, what string) (T, *failure) {
	found, ok := objects[name]
	if !ok {
		there := strings.Join(sorted(objects), ", ")
		if there == "" {
			there = "none"
		}
		return found, usage("no %s %q; there are: %s", what, name, there)
	}
	return found, nil
}

func unused[T any](objects map[string]T, name, what string) *failure {
	if _, taken := objects[name]; taken {
		return usage("there is already a %s %q; choose another name", what, name)
	}
	return nil
}

// carryOut returns nothing where the reply comes later.
func (a *agent) carryOut(one request) (object, *failure) {
	a.lock.Lock()
	defer a.lock.Unlock()
	if _, on := verbs[one.verb]["connection"]; on {
		found, failed := known(a.connections, one.text("connection"), "connection")
		if failed == nil {
			found.queue <- one
		}
		return nil, failed
	}
	switch one.verb {
	case "hello":
		return hello(), nil
	case "context":
		return a.makeContext(one)
	case "accept":
		return nil, a.accept(one)
	case "unlisten":
		found, failed := known(a.listeners, one.text("listener"), "listener")
		if failed == nil {
			a.closeListener(one.text("listener"), found)
		}
		return object{}, failed
	}
	found, failed := known(a.contexts, one.text("context"), "context")
	if failed != nil {
		return nil, failed
	}
	switch one.verb {
	case "free_context":
		a.freeContext(one.text("context"), found)
		return object{}, nil
	case "listen":
		return a.listen(one, found)
	case "connect":
		return nil, a.connect(one, found)
	case "age_sessions":
		found.olderLock.Lock()
		found.older += one.integer("seconds")
		found.olderLock.Unlock()
		return object{"done": true}, nil
	}
	return nil, lack("%s: %s", one.verb, lacking[one.verb])
}

func (a *agent) makeContext(one request) (object, *failure) {
	if failed := unused(a.contexts, one.text("as"), "context"); failed != nil {
		return nil, failed
	}
	knobs, _ := one.fields["knobs"].(map[string]any)
	files, _ := one.fields["files"].(map[string]any)
	config, failed := configure(one.text("role"), knobs, files)
	if failed != nil {
		return nil, failed
	}
	if one.text("role") == "server" {
		if _, err := config.EncryptTicket(tls.ConnectionState{}, &tls.SessionState{}); err != nil { // makes its keys
			return nil, &failure{Kind: "internal", Message: err.Error()}
		}
	}
	a.contexts[one.text("as")] = &context{agent: a, role: one.text("role"), config: config}
	return object{}, nil
}

func (a *agent) freeContext(name string, found *context) {
	for key, one := range a.listeners {
		if one.context == found {
			a.closeListener(key, one)
		}
	}
	for key, one := range a.connections {
		if one.context == found {
			one.drop()
			close(one.queue)
			delete(a.connections, key)
		}
	}
	delete(a.contexts, name)
}

func (a *agent) listen(one request, found *context) (object, *failure) {
	if failed := unused(a.listeners, one.text("as"), "listener"); failed != nil {
		return nil, failed
	}
	socket, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, &failure{Kind: "internal", Message: err.Error()}
	}
	made := &listener{found, socket, make(chan func(), requestsAhead), make(chan struct{})}
	a.listeners[one.text("as")] = made
	go made.run()
	return object{"port": socket.Addr().(*net.TCPAddr).Port}, nil
}

func (a *agent) closeListener(name string, one *listener) {
	delete(a.listeners, name)
	close(one.closed)
	one.socket.Close()
	for {
		select {
		case accept := <-one.waiting:
			go accept() // finds the listener closed
		default:
			return
		}
	}
}

func (a *agent) accept(one request) *failure {
	found, failed := known(a.listeners, one.text("listener"), "listener")
	if failed != nil {
		return failed
	}
	return a.open(one, found.context, found.waiting, func() (*tap, *failure) {
		socket, err := found.socket.Accept()
		if err != nil {
			return nil, usage("the listener was closed")
		}
		return &tap{Conn: socket}, nil
	})
}

func (a *agent) connect(one request, found *context) *failure {
	var offer *tls.ClientSessionState
	if session, given := one.fields["session"].(map[string]any); given {
		text, ok := session["opaque"].(string)
		if !ok {
			return lack("session import: %s", notExported)
		}
		made, err := imported(text)
		if err != nil {
			return &failure{Kind: "tls", Message: err.Error(), Queue: []queueEntry{{0, 0, err.Error()}}}
		}
		offer = made
	}
	address := fmt.Sprintf("127.0.0.1:%d", one.integer("port"))
	failed := a.open(one, found, a.dials, func() (*tap, *failure) {
		socket, err := net.DialTimeout("tcp4", address, 10*time.Second)
		if err != nil {
			return nil, &failure{Kind: "end", Message: err.Error(), End: "reset"}
		}
		return &tap{Conn: socket}, nil
	})
	if failed == nil {
		a.connections[one.text("as")].cache.offer = offer
	}
	return failed
}

// open makes a connection, whose TCP connection is begun in the order of a queue.
func (a *agent) open(one request, found *context, order chan func(), begin func() (*tap, *failure)) *failure {
	name := one.text("as")
	if failed := unused(a.connections, name, "connection"); failed != nil {
		return failed
	}
	made := &connection{context: found, name: name, queue: make(chan request, requestsAhead)}
	begun := make(chan struct{})
	var raw *tap
	var failed *failure
	made.begin = func() (*tap, *failure) {
		<-begun
		return raw, failed
	}
	a.connections[name] = made
	order <- func() {
		raw, failed = begin()
		close(begun)
	}
	go made.run(one)
	return nil
}

func (a *agent) forget(name string) {
	a.lock.Lock()
	defer a.lock.Unlock()
	delete(a.connections, name)
}
