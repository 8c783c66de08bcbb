package main

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// running is a clock that runs on from a moment since its text was first read.
var running struct {
	sync.Mutex
	text  string
	since time.Time
}

// now is the time that libfaketime's file says (FAKETIME_TIMESTAMP_FILE). Go asks the kernel itself, where libfaketime
// does not reach.
func now() time.Time {
	path := os.Getenv("FAKETIME_TIMESTAMP_FILE")
	if path == "" {
		return time.Now()
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return time.Now()
	}
	return moved(strings.Fields(string(text)), time.Now())
}

// moved reads +3600s, a time in seconds that stands still, or @ and a time that runs on, at a pace as x2.
func moved(words []string, real time.Time) time.Time {
	if len(words) == 0 {
		return real
	}
	text, pace := words[0], 1.0
	if len(words) > 1 {
		pace, _ = strconv.ParseFloat(strings.TrimPrefix(words[1], "x"), 64)
	}
	if strings.HasSuffix(text, "s") {
		seconds, _ := strconv.ParseFloat(strings.TrimSuffix(text, "s"), 64)
		return real.Add(time.Duration(seconds * float64(time.Second)))
	}
	seconds, _ := strconv.ParseFloat(strings.TrimPrefix(text, "@"), 64)
	at := time.UnixMicro(int64(seconds * 1e6))
	if !strings.HasPrefix(text, "@") {
		return at
	}
	running.Lock()
	defer running.Unlock()
	if running.text != text {
		running.text, running.since = text, real
	}
	return at.Add(time.Duration(float64(real.Sub(running.since)) * pace))
}
