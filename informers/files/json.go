package files

import (
	"bufio"
	"bytes"
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
	begun, err := skipLine(in, logsBegin)
	for ended := false; begun && !ended && err == nil; {
		ended, err = skipLine(in, logsEnd)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// skipLine skips a line of any length and reports whether it begins so.
func skipLine(in *bufio.Reader, prefix string) (begins bool, err error) {
	line, err := in.ReadSlice('\n')
	begins = bytes.HasPrefix(line, []byte(prefix))
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = in.ReadSlice('\n')
	}
	return begins, err
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
		if len(s.element) > maxObject || len(s.rest) > maxObject {
			return errTooLarge
		}
		for i := 0; i < len(chunk); {
			if plain := s.plain(chunk[i:]); plain > 0 {
				i += plain
				continue
			}
			done, err := s.add(chunk[i], take)
			if err != nil {
				return err
			}
			i++
			if done {
				_, err := in.Discard(i)
				return err
			}
		}
		if _, err := in.Discard(len(chunk)); err != nil {
			return err
		}
	}
}

// plain takes all that only goes on with what is there, and returns how much that was:
// most of a string, and all but the first of spaces between the parts of an element.
func (s *splitter) plain(chunk []byte) int {
	within := s.inside > 0 && s.depth > s.inside
	if !within || s.escaped {
		return 0
	}
	if !s.text {
		spaces := 0
		for isSpace(s.element[len(s.element)-1]) && spaces < len(chunk) && isSpace(chunk[spaces]) {
			spaces++
		}
		return spaces
	}
	end := bytes.IndexByte(chunk, '"')
	if end < 0 {
		end = len(chunk)
	}
	if escape := bytes.IndexByte(chunk[:end], '\\'); escape >= 0 {
		end = escape
	}
	s.element = append(s.element, chunk[:end]...)
	return end
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
