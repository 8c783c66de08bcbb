package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"sort"
	"strings"
)

// A request with its fields, checked.
type request struct {
	id     any
	verb   string
	fields map[string]any
}

func (r request) text(name string) string {
	text, _ := r.fields[name].(string)
	return text
}

func (r request) integer(name string) int64 {
	number, _ := r.fields[name].(json.Number)
	value, _ := number.Int64()
	return value
}

func (r request) fail(err *failure)    { reply(r.id, nil, err) }
func (r request) succeed(found object) { reply(r.id, found, nil) }

var name = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// The fields of each verb: their types, with a question mark if they may be left out.
var verbs = map[string]map[string]string{
	"hello":        {},
	"context":      {"as": "name", "role": "role", "knobs": "object?", "files": "object?"},
	"free_context": {"context": "name"},
	"counters":     {"context": "name"},
	"flush":        {"context": "name", "at": "integer"},
	"resize_cache": {"context": "name", "size": "integer"},
	"remove":       {"context": "name", "session_id": "bytes"},
	"age_sessions": {"context": "name", "seconds": "integer"},
	"has_session":  {"context": "name", "session_id": "bytes"},
	"listen":       {"context": "name", "as": "name"},
	"connect":      {"context": "name", "as": "name", "port": "integer", "session": "object?"},
	"accept":       {"listener": "name", "as": "name"},
	"unlisten":     {"listener": "name"},
	"handshake":    {"connection": "name"},
	"write":        {"connection": "name", "data": "bytes"},
	"read_line":    {"connection": "name"},
	"renegotiate":  {"connection": "name", "abbreviated": "boolean?"},
	"session":      {"connection": "name"},
	"sessions":     {"connection": "name"},
	"keep_session": {"connection": "name"},
	"shutdown":     {"connection": "name"},
	"await_end":    {"connection": "name"},
	"release":      {"connection": "name"},
}

func parse(line []byte) (any, request, *failure) {
	var message map[string]any
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	if err := decoder.Decode(&message); err != nil || message == nil {
		return nil, request{}, usage("a request is one JSON object")
	}
	var id any
	if number, ok := message["id"].(json.Number); ok {
		if _, err := number.Int64(); err == nil {
			id = number
		}
	}
	if id == nil {
		return nil, request{}, usage("id must be an integer")
	}
	verb, _ := message["verb"].(string)
	row, known := verbs[verb]
	if !known {
		return id, request{}, usage("unknown verb %q; there are: %s", verb, strings.Join(sorted(verbs), ", "))
	}
	delete(message, "id")
	delete(message, "verb")
	for field := range message {
		if _, ok := row[field]; !ok {
			return id, request{}, usage("%s has no field %q; it has: %s", verb, field, strings.Join(sorted(row), ", "))
		}
	}
	for field, kind := range row {
		value, given := message[field]
		if !given || value == nil {
			if strings.HasSuffix(kind, "?") {
				continue
			}
			return id, request{}, usage("%s lacks its field %q", verb, field)
		}
		if !fits(value, strings.TrimSuffix(kind, "?")) {
			return id, request{}, usage("%s of %s must be of type %s", field, verb, strings.TrimSuffix(kind, "?"))
		}
	}
	return id, request{id, verb, message}, nil
}

func fits(value any, kind string) bool {
	switch kind {
	case "name":
		text, ok := value.(string)
		return ok && name.MatchString(text)
	case "role":
		return value == "client" || value == "server"
	case "bytes":
		text, ok := value.(string)
		_, err := hex.DecodeString(text)
		return ok && err == nil
	case "integer":
		number, ok := value.(json.Number)
		_, err := number.Int64()
		return ok && err == nil
	case "boolean":
		_, ok := value.(bool)
		return ok
	default:
		_, ok := value.(map[string]any)
		return ok
	}
}

func sorted[V any](table map[string]V) []string {
	names := make([]string, 0, len(table))
	for one := range table {
		names = append(names, one)
	}
	sort.Strings(names)
	return names
}
