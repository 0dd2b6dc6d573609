// Command chart generates the table of values in the chart's README from values.yaml,
// where each key has a comment; maps whose keys have none are one value. From the rules it
// generates the names that values.schema.json allows, and the tables of docs/alerts.md.
//
//	go run . ../..    # the root of the repository
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	chart  = "deploy/helm/daemonset-exporter"
	alerts = "alerts/daemonset_exporter.rules.yaml"
	page   = "docs/alerts.md"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: chart ROOT")
		os.Exit(2)
	}
	if err := errors.Join(write(filepath.Join(os.Args[1], chart)), writeAlerts(os.Args[1])); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

// write updates the README of the chart.
func write(dir string) error {
	values, err := os.ReadFile(filepath.Join(dir, "values.yaml"))
	if err != nil {
		return err
	}
	table, err := table(values)
	if err != nil {
		return err
	}
	return replace(filepath.Join(dir, "README.md"), map[string]string{"values": table})
}

// replace puts generated parts, by name, between their comments on a page.
func replace(path string, parts map[string]string) error {
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	after := before
	for name, part := range parts {
		begin, end := []byte("<!-- generated: "+name+", by `make docs` -->\n"), []byte("<!-- end: "+name+" -->\n")
		head, rest, found := bytes.Cut(after, begin)
		_, tail, ended := bytes.Cut(rest, end)
		if !found || !ended {
			return fmt.Errorf("%s lacks the comments %q and %q", path, begin, end)
		}
		after = bytes.Join([][]byte{head, begin, []byte("\n" + part + "\n"), end, tail}, nil)
	}
	return writeChanged(path, before, after)
}

func writeChanged(path string, before, after []byte) error {
	if bytes.Equal(before, after) {
		return nil
	}
	return os.WriteFile(path, after, 0o644)
}

// table returns a table of all values.
func table(values []byte) (string, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(values, &document); err != nil {
		return "", err
	}
	if len(document.Content) != 1 {
		return "", errors.New("values.yaml is empty")
	}
	var b strings.Builder
	b.WriteString("| key | default | meaning |\n|---|---|---|\n")
	if err := rows(&b, "", document.Content[0]); err != nil {
		return "", err
	}
	return b.String(), nil
}

// rows writes the rows of a map.
func rows(b *strings.Builder, prefix string, values *yaml.Node) error {
	for i := 0; i < len(values.Content); i += 2 {
		key, value := values.Content[i], values.Content[i+1]
		path, meaning := prefix+key.Value, meaning(key)
		if isSection(value) {
			if meaning != "" {
				fmt.Fprintf(b, "| `%s` | | %s |\n", path, meaning)
			}
			if err := rows(b, path+".", value); err != nil {
				return err
			}
			continue
		}
		if meaning == "" {
			return fmt.Errorf("values.yaml:%d: %s has no comment", key.Line, path)
		}
		standard, err := inline(value)
		if err != nil {
			return fmt.Errorf("values.yaml:%d: %w", value.Line, err)
		}
		fmt.Fprintf(b, "| `%s` | `%s` | %s |\n", path, standard, meaning)
	}
	return nil
}

// isSection reports whether the keys of a map have comments.
func isSection(value *yaml.Node) bool {
	if value.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i < len(value.Content); i += 2 {
		if value.Content[i].HeadComment != "" || isSection(value.Content[i+1]) {
			return true
		}
	}
	return false
}

// meaning returns the comment above a key as one line.
func meaning(key *yaml.Node) string {
	var words []string
	for line := range strings.Lines(key.HeadComment) {
		words = append(words, strings.Fields(strings.TrimPrefix(line, "#"))...)
	}
	return strings.ReplaceAll(strings.Join(words, " "), "|", `\|`)
}

// inline returns a value as JSON, which is YAML on one line.
func inline(value *yaml.Node) (string, error) {
	var plain any
	if err := value.Decode(&plain); err != nil {
		return "", err
	}
	text, err := json.Marshal(plain)
	return strings.ReplaceAll(string(text), "|", `\|`), err
}
