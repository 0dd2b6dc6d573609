package files

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"

	"sigs.k8s.io/yaml"
)

// yaml reads YAML documents. The elements of a list are handed over as they come, as
// kubectl prints them: each begins with a dash.
func (r *reader) yaml(name string, in *bufio.Reader) error {
	d := yamlDocument{list: listOf(name)}
	for begun := false; ; {
		line, err := readLine(in)
		if text := bytes.TrimSpace(line); !begun && len(text) > 0 && text[0] != '#' {
			if begun = true; !yamlBegin.Match(line) {
				return errNeither
			}
		}
		if len(line) > 0 {
			if failed := r.yamlLine(&d, line, name); failed != nil {
				return failed
			}
		}
		if errors.Is(err, io.EOF) {
			return r.endYAML(&d)
		}
		if err != nil {
			return err
		}
	}
}

// yamlBegin is how YAML with objects begins: with a key, a list, or the mark of a document
// or of its version.
var yamlBegin = regexp.MustCompile(`^\s*(---|%YAML|-[ \r\n]|["']?[A-Za-z][\w./-]*["']?:[ \r\n])`)

// readLine reads a line. One that is longer than an object is an error.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxObject {
			return nil, errTooLarge
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// yamlDocument is a document that is being read.
type yamlDocument struct {
	list          listKind
	rest, element []byte
	// items reports whether these are the lines of a list, indent is where its dashes
	// stand, elements whether there was a list.
	items, elements bool
	indent          int
}

func (r *reader) yamlLine(d *yamlDocument, line []byte, name string) error {
	if len(d.rest) > maxObject || len(d.element) > maxObject {
		return errTooLarge
	}
	if bytes.HasPrefix(line, []byte("---")) {
		err := r.endYAML(d)
		*d = yamlDocument{list: listOf(name)}
		return err
	}
	text := bytes.TrimLeft(line, " ")
	indent := len(line) - len(text)
	dash := bytes.HasPrefix(text, []byte("- "))
	switch {
	case !d.items:
		if bytes.Equal(bytes.TrimRight(line, " \r\n"), []byte("items:")) {
			d.items, d.elements, d.indent = true, true, -1
			return nil
		}
		d.rest = append(d.rest, line...)
		return nil
	case len(bytes.TrimSpace(text)) == 0:
	case dash && (d.indent < 0 || indent == d.indent):
		d.indent = indent
		if err := r.endElement(d); err != nil {
			return err
		}
		line[indent] = ' ' // a mapping, two columns further right
	case indent <= max(d.indent, 0):
		d.items = false
		d.rest = append(d.rest, line...)
		return r.endElement(d)
	}
	d.element = append(d.element, line...)
	return nil
}

func (r *reader) endElement(d *yamlDocument) error {
	if len(bytes.TrimSpace(d.element)) == 0 {
		return nil
	}
	converted, err := yaml.YAMLToJSON(d.element)
	d.element = d.element[:0]
	if err != nil {
		return err
	}
	return r.element(converted, &d.list, nil)
}

func (r *reader) endYAML(d *yamlDocument) error {
	if err := r.endElement(d); err != nil {
		return err
	}
	if len(bytes.TrimSpace(d.rest)) == 0 && !d.elements {
		return nil
	}
	r.contents.documents++
	converted, err := yaml.YAMLToJSON(d.rest)
	if err != nil {
		return err
	}
	if d.elements {
		return r.contents.header(converted)
	}
	return r.object(converted, "")
}
