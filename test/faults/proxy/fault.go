package proxy

import (
	"context"
	"encoding/binary"
	"net/http"
	"time"
)

// Status answers with a code and headers, "Name: text" each.
func Status(code int, headers ...[2]string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for _, header := range headers {
			w.Header().Set(header[0], header[1])
		}
		http.Error(w, http.StatusText(code), code)
	}
}

// Hang answers nothing.
func Hang(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// Refuse breaks the connection before the response.
func Refuse(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

// When applies a fault to the requests for which a condition holds.
func When(holds func(*http.Request) bool, fault Fault) Fault {
	return func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		if !holds(r) {
			forward.ServeHTTP(w, r)
			return
		}
		fault(w, r, forward)
	}
}

// Watches reports whether a request is for a watch.
func Watches(r *http.Request) bool { return r.URL.Query().Get("watch") != "" }

// Continues reports whether a request is for a further page of a list.
func Continues(r *http.Request) bool { return r.URL.Query().Get("continue") != "" }

// Frames lets each frame of a watch, but not its length, pass through a function, which
// returns what to send instead, and whether to break the connection after that.
func Frames(each func(number int, frame []byte) (send []byte, cut bool)) Fault {
	return When(Watches, func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		forward.ServeHTTP(&framer{ResponseWriter: w, each: each}, r)
	})
}

// CutAfter breaks a watch after some frames.
func CutAfter(frames int) Fault {
	return Frames(func(number int, frame []byte) ([]byte, bool) {
		if number >= frames {
			return nil, true
		}
		return framed(frame), false
	})
}

// CutIn breaks a watch in the middle of a frame.
func CutIn(number int) Fault {
	return Frames(func(at int, frame []byte) ([]byte, bool) {
		whole := framed(frame)
		if at < number {
			return whole, false
		}
		return whole[:len(whole)/2], true
	})
}

// Inject sends something else instead of a frame of a watch, and the rest after it.
func Inject(number int, event []byte) Fault {
	return Frames(func(at int, frame []byte) ([]byte, bool) {
		if at == number {
			return framed(event), false
		}
		return framed(frame), false
	})
}

// Drip sends the frames of a watch one by one, with a pause before each.
func Drip(pause time.Duration) Fault {
	return Frames(func(_ int, frame []byte) ([]byte, bool) {
		<-time.After(pause)
		return framed(frame), false
	})
}

// Shorten breaks each watch after some time.
func Shorten(life time.Duration) Fault {
	return When(Watches, func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		ctx, cancel := context.WithTimeout(r.Context(), life)
		defer cancel()
		forward.ServeHTTP(w, r.WithContext(ctx))
	})
}

func framed(frame []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...)
}

// framer cuts what is written into frames of a length and a message.
type framer struct {
	http.ResponseWriter
	each   func(int, []byte) ([]byte, bool)
	code   int
	held   []byte
	frames int
}

// WriteHeader implements http.ResponseWriter.
func (f *framer) WriteHeader(code int) {
	f.code = code
	f.ResponseWriter.WriteHeader(code)
}

// Write implements io.Writer. Errors are no frames.
func (f *framer) Write(body []byte) (int, error) {
	if f.code != http.StatusOK {
		return f.ResponseWriter.Write(body)
	}
	f.held = append(f.held, body...)
	for len(f.held) >= 4 {
		end := 4 + int(binary.BigEndian.Uint32(f.held))
		if len(f.held) < end {
			break
		}
		send, cut := f.each(f.frames, f.held[4:end])
		f.frames++
		if _, err := f.ResponseWriter.Write(send); err != nil {
			return 0, err
		}
		if cut {
			f.Flush()
			panic(http.ErrAbortHandler)
		}
		f.held = f.held[end:]
	}
	return len(body), nil
}

// Flush implements http.Flusher.
func (f *framer) Flush() { _ = http.NewResponseController(f.ResponseWriter).Flush() }
