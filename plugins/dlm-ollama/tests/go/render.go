// Reads requests as JSON, one a line, and runs each template with Go's own text/template on the data that Ollama would
// give it: a map with the system text and pointers to messages.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"text/template"
)

type Message struct {
	Role    string
	Content string
}

type Request struct {
	Template string
	System   string
	Messages []*Message
	Words    []string
	Number   int
	Names    map[string]string
}

type Reply struct {
	Text  string `json:"text"`
	Error string `json:"error,omitempty"`
}

func render(asked Request) Reply {
	functions := template.FuncMap{"json": func(value any) string {
		text, _ := json.Marshal(value)
		return string(text)
	}}
	parsed, err := template.New("").Option("missingkey=zero").Funcs(functions).Parse(asked.Template)
	if err != nil {
		return Reply{Error: err.Error()}
	}
	var out strings.Builder
	err = parsed.Execute(&out, map[string]any{
		"System": asked.System, "Messages": asked.Messages, "Response": "",
		"Words": asked.Words, "Number": asked.Number, "Names": asked.Names,
	})
	if err != nil {
		return Reply{Error: err.Error()}
	}
	return Reply{Text: out.String()}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<16), 1<<24)
	encoder := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked Request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		encoder.Encode(render(asked))
	}
}
