package server

import (
	"context"
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
)

// Limits of who may look.
const (
	// verdictTTL is how long a verdict holds: so long may somebody still look who has
	// lost the right.
	verdictTTL = time.Minute
	// retryAfter is how long a verdict holds on if the API server does not answer.
	retryAfter = 10 * time.Second
	// maxVerdicts limits the memory for verdicts: a few Prometheus servers and people,
	// by path.
	maxVerdicts = 1000
	// maxToken is the size of the largest token. Those of Kubernetes have 1 KiB.
	maxToken = 8 << 10
)

// Review returns the API server's verdict on a request with this token, verb and path.
type Review func(ctx context.Context, token, verb, path string) (informers.Verdict, error)

// gate lets those requests through whose sender the API server allows it.
//
// While the API server is away, whoever was allowed to look stays so: the failure of a
// control plane is no moment to lose its metrics. Nobody else gets an answer then.
type gate struct {
	next   http.Handler
	review Review
	clock  clock.PassiveClock
	logger log.Logger

	mu       sync.Mutex
	verdicts map[verdictKey]verdict
	// failing reports whether the last review failed, so that only the first is logged.
	failing bool
}

// verdictKey is a digest of what was decided about: no token is kept.
type verdictKey [sha256.Size]byte

type verdict struct {
	informers.Verdict
	until time.Time
}

// protect returns a handler that asks Review before everything but the probes, which
// reveal nothing and for which kubelets have no token.
func protect(next http.Handler, config Config) http.Handler {
	if config.Review == nil {
		return next
	}
	mux := http.NewServeMux()
	for _, path := range []string{HealthyPath, ReadyPath} {
		mux.Handle("GET "+path, next)
	}
	mux.Handle("/", &gate{
		next: next, review: config.Review, clock: config.Clock, logger: config.Logger,
		verdicts: map[verdictKey]verdict{},
	})
	return mux
}

// ServeHTTP implements http.Handler.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := bearerToken(r.Header)
	if token == "" {
		unauthenticated(w)
		return
	}
	switch g.decide(r.Context(), token, strings.ToLower(r.Method), r.URL.Path) {
	case informers.Allowed:
		r.Header.Del("Authorization")
		g.next.ServeHTTP(w, r)
	case informers.Forbidden:
		respond(w, http.StatusForbidden, "forbidden: grant the verb get on this path as a nonResourceURL\n")
	case informers.Unauthenticated:
		unauthenticated(w)
	default:
		respond(w, http.StatusServiceUnavailable, "the API server cannot be asked who may look\n")
	}
}

func unauthenticated(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", "Bearer")
	respond(w, http.StatusUnauthorized, "unauthenticated: send one bearer token that is valid for the API server\n")
}

// bearerToken returns the token of a request; empty if there is none, if it is too
// large, or if there are several: proxies and servers could read different ones.
func bearerToken(header http.Header) string {
	values := header.Values("Authorization")
	if len(values) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || len(token) > maxToken || strings.ContainsAny(token, " ,\t") {
		return ""
	}
	return token
}

// decide returns the verdict on a request; empty if there is none.
func (g *gate) decide(ctx context.Context, token, verb, path string) informers.Verdict {
	key := verdictKey(sha256.Sum256([]byte(token + "\x00" + verb + "\x00" + path)))
	g.mu.Lock()
	known := g.verdicts[key]
	g.mu.Unlock()
	if g.clock.Now().Before(known.until) {
		return known.Verdict
	}
	decided, err := g.review(ctx, token, verb, path)
	g.note(err)
	switch {
	case err == nil:
		g.keep(key, verdict{decided, g.clock.Now().Add(verdictTTL)})
		return decided
	case known.Verdict == informers.Allowed:
		g.keep(key, verdict{known.Verdict, g.clock.Now().Add(retryAfter)})
		return known.Verdict
	default:
		return ""
	}
}

// keep remembers a verdict. If there are too many, the outdated ones go, then those
// that allow nothing, then all.
func (g *gate) keep(key verdictKey, v verdict) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.Now()
	for _, dispensable := range []func(verdict) bool{
		func(v verdict) bool { return now.After(v.until) && v.Verdict != informers.Allowed },
		func(v verdict) bool { return v.Verdict != informers.Allowed },
		func(verdict) bool { return true },
	} {
		if len(g.verdicts) < maxVerdicts {
			break
		}
		for k, v := range g.verdicts {
			if dispensable(v) {
				delete(g.verdicts, k)
			}
		}
	}
	g.verdicts[key] = v
}

// note logs the first of several errors, and that they are over.
func (g *gate) note(err error) {
	g.mu.Lock()
	was := g.failing
	g.failing = err != nil
	g.mu.Unlock()
	switch {
	case err != nil && !was:
		level.Warn(g.logger).Log("msg", "cannot ask the API server who may look: only those stay allowed who were (logged once)", "err", err)
	case err == nil && was:
		level.Info(g.logger).Log("msg", "the API server says again who may look")
	}
}
