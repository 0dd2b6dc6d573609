//go:build linux

package faults

import (
	"flag"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/test/faults/proxy"
)

var (
	lasting = flag.Duration("lasting", 4*time.Second, "how long each fault lasts")
	long    = flag.Bool("long", false, "play faults that take minutes to be noticed too, before a larger cluster")
	update  = flag.Bool("update", false, "write docs/reliability.md: of the faults before a proxy only with -long")
)

// TestMain lets faults wait side by side: they take time, and little else.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

const (
	// sources is how many watches there are.
	sources = 3
	// maxGrowth bounds the peak of memory, as a ratio of that of an undisturbed start.
	maxGrowth = 1.3
)

// maxRequests returns how many requests may be sent in a time: for each watch one
// attempt after each delay of the back-off at its shortest, by a list of one object and
// a watch. The back-off grows from half a second to fifteen, unless each attempt brings
// something.
func maxRequests(lasts time.Duration, resets bool) int {
	attempts, delay := 1, 500*time.Millisecond
	for at := delay; at < lasts; at += delay {
		attempts++
		if !resets {
			delay = min(2*delay, 15*time.Second)
		}
	}
	return sources * 2 * attempts
}

// undisturbed returns the peak of memory of an exporter before a still world.
func undisturbed(t *testing.T) int64 {
	t.Helper()
	p := newPlay(t, newStill(t, true))
	got := p.play(later, nil, time.Second)
	return got.peak
}

func TestFaults(t *testing.T) {
	t.Parallel()
	floor := undisturbed(t)
	var results results
	t.Run("group", func(t *testing.T) {
		for _, fault := range faults(t) {
			for _, when := range fault.when {
				t.Run(fault.name+" at the "+string(when), func(t *testing.T) {
					t.Parallel()
					if fault.slow && !*long {
						t.Skip("takes minutes: make test-faults")
					}
					play := newPlay(t, worldOf(t, when))
					got := play.play(when, fault.set, *lasting)
					if limit := maxRequests(*lasting, fault.resets); got.requests > limit {
						t.Errorf("%d requests in %s, want at most %d", got.requests, *lasting, limit)
					}
					if got.lists > 0 {
						t.Errorf("%d lists of everything", got.lists)
					}
					if when == atStart && float64(got.peak) > maxGrowth*float64(floor) {
						t.Errorf("peak of %d MiB, undisturbed %d MiB", got.peak>>20, floor>>20)
					}
					if got.scrapes == 0 {
						t.Error("nothing was compared with the truth")
					}
					t.Logf("%d requests in %s, peak %d MiB (undisturbed %d MiB), right after %s, %d scrapes",
						got.requests, *lasting, got.peak>>20, floor>>20, got.right.Round(time.Millisecond), got.scrapes)
					results.add(fault.name, when, got)
				})
			}
		}
	})
	results.finish(t, floor)
}

func worldOf(t *testing.T, when when) world {
	t.Helper()
	if when == atStart {
		return newStill(t, true)
	}
	return newFailing(t)
}

// onePage is what a page of 500 whole pods takes, encoded and decoded, with the garbage
// that is not collected yet.
const onePage = 64 << 20

// A server that cannot stream is read in pages, for the memory of one of them.
func TestPages(t *testing.T) {
	t.Parallel()
	floor := undisturbed(t)
	var once sync.Once
	for name, set := range map[string]proxy.Fault{
		"as they are": nil,
		"the token of one expires": proxy.When(proxy.Continues, func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
			next := forward
			once.Do(func() { next = statusHandler(http.StatusGone) })
			next.ServeHTTP(w, r)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, newStill(t, false))
			p.proxy.Set(set)
			p.start()
			p.awaitTruth()
			peak := p.peak()
			if peak > floor+onePage {
				t.Errorf("peak of %d MiB, streamed %d MiB", peak>>20, floor>>20)
			}
			if slices.ContainsFunc(p.watching(p.proxy.Requests()), func(r proxy.Request) bool { return !r.Watch && r.Query.Get("limit") == "" }) {
				t.Error("a list of everything in one piece")
			}
			t.Logf("peak %d MiB, streamed %d MiB", peak>>20, floor>>20)
		})
	}
}

func statusHandler(code int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, http.StatusText(code), code) })
}

// Whatever is read again is in memory once.
func TestRelists(t *testing.T) {
	t.Parallel()
	p := newPlay(t, newStill(t, true))
	p.start()
	p.awaitTruth()
	before := p.peak()
	for range 3 {
		streams := p.streams()
		p.proxy.Set(proxy.When(resumes, proxy.Status(http.StatusGone)))
		p.proxy.Break()
		p.await("three streams", func() bool { return p.streams() == streams+sources })
		p.proxy.Set(nil)
		p.awaitTruth()
	}
	after := p.peak()
	if float64(after) > maxGrowth*float64(before) {
		t.Errorf("peak of %d MiB after three relists, %d MiB before", after>>20, before>>20)
	}
	t.Logf("peak %d MiB after three relists, %d MiB before", after>>20, before>>20)
}

// What is no fault must not look like one.
func TestNoFaults(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(p *play, world *failing){
		"bookmarks only":         func(p *play, world *failing) { world.server.Bookmark() },
		"a pod of 1.5 MiB":       func(p *play, world *failing) { world.grow() },
		"a storm of 100 scrapes": func(p *play, _ *failing) { p.storm(100) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world := newFailing(t)
			p := newPlay(t, world)
			p.start()
			p.awaitTruth()
			before := len(p.proxy.Requests())
			disturb(p, world)
			p.observe(time.Second)
			p.awaitTruth()
			if sent := p.watching(p.proxy.Requests()[before:]); len(sent) > 0 {
				t.Errorf("requests: %v", sent)
			}
			samples, err := p.exporter.Scrape(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if failed := samples.Sum("daemonset_exporter_informer_watch_errors_total", nil); failed != 0 {
				t.Errorf("%v errors", failed)
			}
			if limit := int64(64 << 20); p.peak() > limit {
				t.Errorf("peak of %d MiB", p.peak()>>20)
			}
		})
	}
}

// storm scrapes so many times at once. Too many are refused, none is wrong.
func (p *play) storm(scrapes int) {
	p.t.Helper()
	var running sync.WaitGroup
	for range scrapes {
		running.Go(func() {
			code, _, err := p.exporter.Get(p.t.Context(), "/metrics")
			if err != nil || code != http.StatusOK && code != http.StatusServiceUnavailable {
				p.t.Errorf("a scrape answers %d, %v", code, err)
			}
		})
	}
	running.Wait()
}

// A token that is replaced in its file is read again, within a minute.
func TestTokenRotated(t *testing.T) {
	if !*long {
		t.Skip("takes a minute: make test-faults")
	}
	t.Parallel()
	p := newPlay(t, newFailing(t))
	p.proxy = proxy.NewTLS(t, p.world.url())
	p.start()
	p.awaitTruth()
	p.proxy.Set(proxy.When(func(r *http.Request) bool { return r.Header.Get("Authorization") != "Bearer second" }, proxy.Status(http.StatusUnauthorized)))
	writeFile(p.t, p.token, "second")
	p.proxy.Break()
	p.world.change()
	p.awaitTruth()
}

// resumes reports whether a request is for a watch that goes on where another ended.
func resumes(r *http.Request) bool {
	return proxy.Watches(r) && r.URL.Query().Get("sendInitialEvents") == ""
}

func (p *play) streams() int {
	count := 0
	for _, request := range p.proxy.Requests() {
		if request.Streams {
			count++
		}
	}
	return count
}

func (p *play) await(what string, holds func() bool) {
	p.t.Helper()
	async.Within(p.t, patience, 20*time.Millisecond, what, holds)
}
