package main

import (
	"os"
	"runtime"
	"strings"
)

var (
	notExported = "crypto/tls exports a session in a format of its own, which only Go reads"
	noCounters  = "crypto/tls has no counters of sessions"
	noCache     = "a server of crypto/tls has no cache; every session is in its ticket"
	noReneg     = "a client of crypto/tls answers renegotiations at most, and a server refuses them"
)

// Why an optional verb is not supported.
var lacking = map[string]string{
	"counters":     noCounters,
	"flush":        noCache,
	"resize_cache": noCache,
	"remove":       noCache,
	"has_session":  noCache,
	"renegotiate":  noReneg,
	"keep_session": "crypto/tls makes a new object of a session for each connection",
}

var bothCapabilities = map[string]any{
	"session data":              notExported,
	"session fields":            "a session of crypto/tls has no id, and in TLS 1.2 no lifetime hint",
	"session copy":              nil,
	"session import":            notExported,
	"session before ticket":     "crypto/tls gives a session when its ticket arrives",
	"session in memory":         lacking["keep_session"],
	"every ticket":              nil,
	"new-session callback":      nil,
	"server name":               nil,
	"negotiated group":          nil,
	"peer chain":                nil,
	"exporter":                  nil,
	"is_resumable":              "crypto/tls does not say whether a session can be resumed",
	"counters":                  noCounters,
	"running counters":          noCounters,
	"flush":                     noCache,
	"resize cache":              noCache,
	"remove session":            noCache,
	"matching session id":       noCache,
	"age server session":        nil,
	"renegotiation":             noReneg,
	"abbreviated renegotiation": noReneg,
	"concurrent":                nil,
	"close client-only":         nil,
	"close server-only":         nil,
	"early data":                noEarlyData,
	"clock":                     nil,
	"session id":                noIDs,
	"key log":                   nil,
}

func hello() object {
	knobs, capabilities := object{}, object{}
	for _, role := range []string{"client", "server"} {
		knobs[role], capabilities[role] = knobsOf(role), bothCapabilities
	}
	return object{
		"protocol":     2,
		"library":      "go",
		"version":      strings.Fields(strings.TrimPrefix(runtime.Version(), "go"))[0],
		"description":  "crypto/tls of " + runtime.Version(),
		"pid":          os.Getpid(),
		"lacks":        lacking,
		"family":       "go",
		"roles":        []string{"client", "server"},
		"knobs":        knobs,
		"capabilities": capabilities,
		"defaults": object{
			"tickets":                  1,
			"tickets_after_resumption": 1,
			"lifetime":                 object{"1.2": 0, "1.3": 604800},
			"timeout":                  object{"client": 604800, "server": 604800},
			"key_name":                 0,
		},
	}
}
