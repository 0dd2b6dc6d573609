package files

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// json reads JSON documents one after the other. Between them, kubectl cluster-info dump
// prints logs.
func (r *reader) json(name string, in *bufio.Reader) error {
	for {
		first, err := firstByte(in)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case first == '{' || first == '[':
			if err := r.document(name, in); err != nil {
				return err
			}
		default:
			if err := skipText(in); err != nil {
				return err
			}
		}
	}
}

// Logs are between these lines (kubectl/pkg/cmd/clusterinfo/clusterinfo_dump.go, v0.37).
const (
	logsBegin = "==== START logs"
	logsEnd   = "==== END logs"
)

// skipText skips a line, and the log that it begins.
func skipText(in *bufio.Reader) error {
	line, err := in.ReadString('\n')
	if strings.HasPrefix(line, logsBegin) {
		for err == nil && !strings.HasPrefix(line, logsEnd) {
			line, err = in.ReadString('\n')
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// document reads one JSON document. The elements of a list are handed over as they come:
// what remains of it is small.
func (r *reader) document(name string, in *bufio.Reader) error {
	r.contents.documents++
	s := splitter{rest: make([]byte, 0, 1024)}
	list := listOf(name)
	err := s.split(in, func(element []byte) error { return r.element(element, &list, s.rest) })
	if err != nil {
		return err
	}
	if s.elements {
		return r.contents.header(s.rest)
	}
	return r.object(s.rest, "")
}

// element reads one element of a list, which may leave its kind to the list.
func (r *reader) element(element []byte, list *listKind, rest []byte) error {
	if !list.known {
		list.read(rest)
	}
	return r.object(element, list.kind)
}

// splitter splits a JSON document into the elements of its list and the rest.
type splitter struct {
	// rest is the document without the elements.
	rest []byte
	// elements reports whether the document is a list.
	elements bool

	element []byte
	// depth is how many braces and brackets are open, inside at which depth elements
	// stand; zero where none do.
	depth, inside int
	// text reports whether this is inside of a string, escaped whether the next byte is
	// escaped, key where the last string at depth 1 begins in rest.
	text, escaped bool
	key           int
}

// split reads one document and calls take with each element.
func (s *splitter) split(in *bufio.Reader, take func(element []byte) error) error {
	for {
		if _, err := in.Peek(1); err != nil {
			if errors.Is(err, io.EOF) {
				return io.ErrUnexpectedEOF
			}
			return err
		}
		chunk, _ := in.Peek(in.Buffered())
		for i, b := range chunk {
			done, err := s.add(b, take)
			if err != nil {
				return err
			}
			if done {
				_, err := in.Discard(i + 1)
				return err
			}
		}
		if _, err := in.Discard(len(chunk)); err != nil {
			return err
		}
	}
}

// add takes the next byte and reports whether the document has ended.
func (s *splitter) add(b byte, take func(element []byte) error) (done bool, err error) {
	within := s.inside > 0 && s.depth >= s.inside
	switch {
	case s.escaped:
		s.escaped = false
	case s.text && b == '\\':
		s.escaped = true
	case b == '"':
		if s.text = !s.text; s.text && s.depth == 1 && !within {
			s.key = len(s.rest)
		}
	case s.text:
	case b == '{' || b == '[':
		if b == '[' && s.inside == 0 && (s.depth == 0 || s.depth == 1 && s.afterItems()) {
			s.inside, s.elements = s.depth+1, true
		}
		s.depth++
	case b == '}' || b == ']':
		s.depth--
		if s.depth < 0 {
			return false, errors.New("unbalanced brackets")
		}
	case within && s.depth == s.inside && (b == ',' || isSpace(b)):
		return false, nil // between elements
	}
	if within && (s.depth > s.inside || b == '}') {
		s.element = append(s.element, b)
		if s.depth == s.inside {
			err = take(s.element)
			s.element = s.element[:0]
		}
		return false, err
	}
	if within && s.depth >= s.inside {
		return false, fmt.Errorf("a list has something other than objects: %q", b)
	}
	if s.inside > 0 && s.depth < s.inside {
		s.inside = -1 // the list has ended
	}
	s.rest = append(s.rest, b)
	return s.depth == 0, nil
}

// afterItems reports whether the last key was "items".
func (s *splitter) afterItems() bool {
	const items = `"items"`
	return strings.HasPrefix(string(s.rest[s.key:]), items) && strings.TrimSpace(string(s.rest[s.key+len(items):])) == ":"
}
