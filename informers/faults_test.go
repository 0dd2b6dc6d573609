package informers

import (
	"bytes"
	"encoding/json"
	"net/http"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
)

// What a server, or a proxy before it, may do to a request.

// withCode answers as a proxy does.
func withCode(code int) apiserver.Interceptor {
	return func(w http.ResponseWriter, _ *http.Request, _ apiserver.Request) http.ResponseWriter {
		http.Error(w, "no", code)
		return nil
	}
}

// withStatus answers as an API server does.
func withStatus(err *apierrors.StatusError) apiserver.Interceptor {
	return func(w http.ResponseWriter, _ *http.Request, _ apiserver.Request) http.ResponseWriter {
		status := err.Status()
		status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(int(status.Code))
		_ = json.NewEncoder(w).Encode(status)
		return nil
	}
}

func tooLarge() *apierrors.StatusError {
	err := apierrors.NewTimeoutError("Too large resource version: 2, current: 1", 0)
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: metav1.CauseTypeResourceVersionTooLarge}}
	return err
}

// withPage answers with a page for people.
func withPage(w http.ResponseWriter, _ *http.Request, _ apiserver.Request) http.ResponseWriter {
	w.Header().Set("Content-Type", "text/html")
	_, _ = w.Write([]byte("<html>Please log in.</html>"))
	return nil
}

// firstEvent stands for the length of the first event of a stream.
const firstEvent = 1 << 20

// cutAfter cuts the connection after so many bytes of the body, or so many more than the
// first event. Zero cuts it before the response.
func cutAfter(length int) apiserver.Interceptor {
	return func(w http.ResponseWriter, _ *http.Request, _ apiserver.Request) http.ResponseWriter {
		if length == 0 {
			panic(http.ErrAbortHandler)
		}
		return &cutter{ResponseWriter: w, left: length}
	}
}

// cutter cuts the connection after some bytes.
type cutter struct {
	http.ResponseWriter
	left  int
	begun bool
}

func (c *cutter) Write(body []byte) (int, error) {
	if !c.begun && c.left >= firstEvent {
		c.left += len(body) - firstEvent
	}
	c.begun = true
	n, err := c.ResponseWriter.Write(body[:min(len(body), c.left)])
	if c.left -= n; c.left == 0 || err != nil {
		c.Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// Flush implements http.Flusher. Headers alone are flushed too.
func (c *cutter) Flush() {
	if flusher, ok := c.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
	if !c.begun && c.left == 1 {
		panic(http.ErrAbortHandler)
	}
}

// garbled makes every event one that cannot be decoded.
func garbled(w http.ResponseWriter, _ *http.Request, _ apiserver.Request) http.ResponseWriter {
	return garbler{w}
}

type garbler struct{ http.ResponseWriter }

// Flush implements http.Flusher.
func (g garbler) Flush() {
	if flusher, ok := g.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
}

func (g garbler) Write(body []byte) (int, error) {
	return g.ResponseWriter.Write(bytes.ReplaceAll(body, []byte("ADDED"), []byte("AGGED")))
}

// countdown is true so many times.
type countdown struct {
	mu   sync.Mutex
	left int
}

func newCountdown(times int) *countdown { return &countdown{left: times} }

func (c *countdown) next() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left--
	return c.left >= 0
}
