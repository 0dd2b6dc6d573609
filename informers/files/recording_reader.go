package files

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// ErrCutOff is returned in place of the last line of a recording that ends in the
// middle of it, as one does whose writer was killed.
var ErrCutOff = errors.New("the recording is cut off")

// maxLine limits a line. The API server takes no object of more than 1.5 MiB.
const maxLine = 16 << 20

// RecordingReader reads the events of a recording, plain or gzipped.
type RecordingReader struct {
	input *bufio.Reader
	// number is that of the line that was read last, last its time.
	number int
	last   time.Time
}

// NewRecordingReader returns a reader of a recording.
func NewRecordingReader(input io.Reader) (*RecordingReader, error) {
	plain, err := decompress(input)
	if err != nil {
		return nil, err
	}
	return &RecordingReader{input: plain}, nil
}

// decompress returns the input, unpacked if it is gzipped.
func decompress(input io.Reader) (*bufio.Reader, error) {
	buffered := bufio.NewReaderSize(input, 1<<16)
	head, _ := buffered.Peek(2) // whoever reads on gets the error
	if !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return buffered, nil
	}
	unpacked, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, fmt.Errorf("reading gzip: %w", err)
	}
	return bufio.NewReaderSize(unpacked, 1<<16), nil
}

// Next returns the next event, io.EOF after the last one, and ErrCutOff where the
// recording ends in the middle of a line.
func (r *RecordingReader) Next() (Event, error) {
	parsed, err := r.next()
	if err != nil {
		return Event{}, err
	}
	event, err := parsed.event()
	if err != nil {
		return Event{}, r.error(err)
	}
	return event, nil
}

// next returns the next line that is not empty. Its object is unread.
func (r *RecordingReader) next() (line, error) {
	for {
		text, complete, err := r.readLine()
		if err != nil {
			return line{}, err
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		var parsed line
		if err := json.Unmarshal(text, &parsed); err != nil {
			if !complete {
				return line{}, ErrCutOff
			}
			return line{}, r.error(err)
		}
		if err := parsed.check(); err != nil {
			return line{}, r.error(err)
		}
		if parsed.Time.Before(r.last) {
			return line{}, r.error(fmt.Errorf("its time %s is before that of an earlier line, %s",
				parsed.Time.Format(time.RFC3339Nano), r.last.Format(time.RFC3339Nano)))
		}
		r.last = parsed.Time
		return parsed, nil
	}
}

// readLine returns the next line; complete reports whether it ends with a newline.
func (r *RecordingReader) readLine() (text []byte, complete bool, err error) {
	for {
		part, err := r.input.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case err == nil:
			r.number++
			return text, true, nil
		case len(text) > maxLine:
			r.number++
			return nil, false, r.error(fmt.Errorf("it is longer than %d MiB", maxLine>>20))
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(text) > 0:
			r.number++
			return text, false, nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return nil, false, ErrCutOff
		case errors.Is(err, io.EOF):
			return nil, false, io.EOF
		default:
			return nil, false, fmt.Errorf("reading after line %d: %w", r.number, err)
		}
	}
}

func (r *RecordingReader) error(err error) error { return fmt.Errorf("line %d: %w", r.number, err) }
