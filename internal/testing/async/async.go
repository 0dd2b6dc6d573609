// Package async has what tests of concurrent code share.
package async

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// Patience is the longest wait for a condition. client-go waits up to two seconds
// before its first retry.
const Patience = 30 * time.Second

// Eventually waits until a condition holds, for Patience at most.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	Within(t, Patience, 2*time.Millisecond, what, holds)
}

// Within waits until a condition holds, which it asks at each interval.
func Within(t testing.TB, patience, interval time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline, tick := time.NewTimer(patience), time.NewTicker(interval)
	defer deadline.Stop()
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("timed out waiting for %s", what)
		}
	}
}

// Buffer collects what is written by one goroutine and read by another, such as a
// log. The zero value is empty.
type Buffer struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String returns what has been written.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// With returns the lines that contain a text.
func (b *Buffer) With(text string) []string {
	var found []string
	for line := range strings.Lines(b.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}
