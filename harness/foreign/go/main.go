// Agent drives Go's crypto/tls for resumption-harness: JSON lines on stdin and stdout (harness/agent/PROTOCOL.md).
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
)

const longestLine = 16 << 20

// A failure is the error of a reply.
type failure struct {
	Kind    string       `json:"kind"`
	Message string       `json:"message"`
	Queue   []queueEntry `json:"queue,omitempty"`
	End     string       `json:"end,omitempty"`
	Knob    string       `json:"knob,omitempty"`
}

type queueEntry struct {
	Lib    int    `json:"lib"`
	Reason int    `json:"reason"`
	Text   string `json:"text"`
}

func (f *failure) Error() string { return f.Message }

func usage(format string, args ...any) *failure {
	return &failure{Kind: "usage", Message: fmt.Sprintf(format, args...)}
}

func lack(format string, args ...any) *failure {
	return &failure{Kind: "lack", Message: fmt.Sprintf(format, args...)}
}

type object map[string]any

var stdout struct {
	sync.Mutex
	file *os.File
}

func reply(id any, result object, failed *failure) {
	answer := object{"id": id}
	if failed != nil {
		answer["error"] = failed
	} else {
		if result == nil {
			result = object{}
		}
		answer["ok"] = result
	}
	line, err := json.Marshal(answer)
	if err != nil || len(line) > longestLine {
		line, _ = json.Marshal(object{"id": id, "error": usage("the reply has more than %d bytes", longestLine)})
	}
	stdout.Lock()
	defer stdout.Unlock()
	stdout.file.Write(append(line, '\n'))
}

// readLine returns a line without its end; nil for one that is too long.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, long := []byte{}, false
	for {
		part, err := in.ReadSlice('\n')
		if err == nil || err == bufio.ErrBufferFull {
			if len(line)+len(part) > longestLine+1 {
				line, long = line[:0], true
			} else if !long {
				line = append(line, part...)
			}
		}
		if err == nil {
			if long {
				return nil, nil
			}
			return line[:len(line)-1], nil
		}
		if err != bufio.ErrBufferFull {
			return nil, err
		}
	}
}

func main() {
	stdout.file = os.Stdout
	os.Stdout = os.Stderr
	agent := newAgent()
	in := bufio.NewReaderSize(os.Stdin, 1<<16)
	for {
		line, err := readLine(in)
		if err == io.EOF {
			return
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		agent.serve(line)
	}
}
