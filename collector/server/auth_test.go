package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
)

// gated is a server behind an API server whose verdicts the test decides.
type gated struct {
	t       *testing.T
	handler http.Handler
	clock   *clocktesting.FakePassiveClock
	log     async.Buffer
	// verdicts holds the verdict by token; away makes every review fail.
	verdicts map[string]informers.Verdict
	away     bool
	// asked holds what the API server was asked, in order.
	asked []string
}

func newGated(t *testing.T) *gated {
	t.Helper()
	g := &gated{
		t: t, clock: clocktesting.NewFakePassiveClock(time.Unix(1_700_000_000, 0)),
		verdicts: map[string]informers.Verdict{"prometheus": informers.Allowed, "somebody": informers.Forbidden},
	}
	config := config()
	config.Review, config.Clock, config.Profiling = g.review, g.clock, true
	config.Logger = log.NewLogfmtLogger(&g.log)
	g.handler = handler(t, config)
	return g
}

func (g *gated) review(_ context.Context, token, verb, path string) (informers.Verdict, error) {
	g.asked = append(g.asked, verb+" "+path)
	if g.away {
		return "", errors.New("connection refused")
	}
	if verdict, known := g.verdicts[token]; known {
		return verdict, nil
	}
	return informers.Unauthenticated, nil
}

// expect sends a request with these Authorization headers.
func (g *gated) expect(code int, method, path string, authorizations ...string) {
	g.t.Helper()
	request := httptest.NewRequest(method, path, nil)
	for _, authorization := range authorizations {
		request.Header.Add("Authorization", authorization)
	}
	answer := httptest.NewRecorder()
	g.handler.ServeHTTP(answer, request)
	if answer.Code != code {
		g.t.Errorf("%s %s with %.20q answers %d, want %d", method, path, authorizations, answer.Code, code)
	}
	if reveals := strings.Contains(answer.Body.String(), "daemonset_answer"); reveals && code != http.StatusOK {
		g.t.Errorf("%s %s with %.20q reveals metrics", method, path, authorizations)
	}
	if code == http.StatusUnauthorized && answer.Header().Get("WWW-Authenticate") != "Bearer" {
		g.t.Errorf("%s %s does not ask for a token", method, path)
	}
}

// scrape sends a request for the metrics with a token.
func (g *gated) scrape(code int, token string) {
	g.t.Helper()
	g.expect(code, http.MethodGet, "/metrics", "Bearer "+token)
}

func (g *gated) expectAsked(count int) {
	g.t.Helper()
	if len(g.asked) != count {
		g.t.Errorf("the API server was asked %q, want %d times", g.asked, count)
	}
}

func TestReview(t *testing.T) {
	t.Parallel()
	t.Run("every path but the probes needs a token", func(t *testing.T) {
		t.Parallel()
		g := newGated(t)
		for path, codes := range map[string]struct{ without, with int }{
			"/metrics":      {http.StatusUnauthorized, http.StatusOK},
			"/":             {http.StatusUnauthorized, http.StatusOK},
			"/debug/pprof/": {http.StatusUnauthorized, http.StatusOK},
			"/nothing":      {http.StatusUnauthorized, http.StatusNotFound},
			"/-/other":      {http.StatusUnauthorized, http.StatusNotFound},
			"/-/healthy":    {http.StatusOK, http.StatusOK},
			"/-/ready":      {http.StatusOK, http.StatusOK},
		} {
			g.expect(codes.without, http.MethodGet, path)
			g.expect(codes.with, http.MethodGet, path, "Bearer prometheus")
		}
		g.expect(http.StatusUnauthorized, http.MethodPost, "/-/ready")
	})
	t.Run("the API server is asked about verb and path", func(t *testing.T) {
		t.Parallel()
		g := newGated(t)
		g.expect(http.StatusOK, http.MethodHead, "/metrics", "bearer prometheus")
		g.scrape(http.StatusForbidden, "somebody")
		if want := []string{"head /metrics", "get /metrics"}; fmt.Sprint(g.asked) != fmt.Sprint(want) {
			t.Errorf("asked %q, want %q", g.asked, want)
		}
	})
	t.Run("what is not one bearer token is refused without a question", func(t *testing.T) {
		t.Parallel()
		g := newGated(t)
		for _, authorizations := range [][]string{
			{""},
			{"Bearer"},
			{"Bearer "},
			{"prometheus"},
			{"Basic cHJvbWV0aGV1cw=="},
			{"Bearer prometheus prometheus"},
			{"Bearer prometheus, Bearer somebody"},
			{"Bearer prometheus", "Bearer prometheus"},
			{"Bearer prometheus", "Basic x"},
			{"Bearer " + strings.Repeat("x", 8<<10+1)},
		} {
			g.expect(http.StatusUnauthorized, http.MethodGet, "/metrics", authorizations...)
		}
		g.expectAsked(0)
	})
	t.Run("a verdict holds for a minute", func(t *testing.T) {
		t.Parallel()
		g := newGated(t)
		g.scrape(http.StatusOK, "prometheus")
		g.scrape(http.StatusForbidden, "somebody")
		g.verdicts["prometheus"], g.verdicts["somebody"] = informers.Forbidden, informers.Allowed
		g.clock.SetTime(g.clock.Now().Add(time.Minute - time.Nanosecond))
		g.scrape(http.StatusOK, "prometheus")
		g.scrape(http.StatusForbidden, "somebody")
		g.expectAsked(2)
		g.clock.SetTime(g.clock.Now().Add(time.Nanosecond))
		g.scrape(http.StatusForbidden, "prometheus")
		g.scrape(http.StatusOK, "somebody")
		g.expectAsked(4)
	})
	t.Run("while the API server is away, who was allowed stays so and nobody else is", func(t *testing.T) {
		t.Parallel()
		g := newGated(t)
		g.scrape(http.StatusOK, "prometheus")
		g.scrape(http.StatusForbidden, "somebody")
		g.away = true
		g.clock.SetTime(g.clock.Now().Add(time.Hour))
		g.scrape(http.StatusOK, "prometheus")
		g.scrape(http.StatusOK, "prometheus") // it is not asked for each scrape
		g.expectAsked(3)
		g.scrape(http.StatusServiceUnavailable, "somebody")
		g.scrape(http.StatusServiceUnavailable, "stranger")
		g.expect(http.StatusServiceUnavailable, http.MethodGet, "/", "Bearer prometheus")
		if got := strings.Count(g.log.String(), "connection refused"); got != 1 {
			t.Errorf("logged %d times:\n%s", got, g.log.String())
		}
		g.away, g.verdicts["prometheus"] = false, informers.Forbidden
		g.clock.SetTime(g.clock.Now().Add(10 * time.Second))
		g.scrape(http.StatusForbidden, "prometheus")
	})
	t.Run("many wrong tokens neither fill the memory nor push out a right one", func(t *testing.T) {
		t.Parallel()
		g := newGated(t)
		g.scrape(http.StatusOK, "prometheus")
		for i := range 5000 {
			g.scrape(http.StatusUnauthorized, fmt.Sprint("wrong-", i))
		}
		g.away = true
		g.clock.SetTime(g.clock.Now().Add(time.Hour))
		g.scrape(http.StatusOK, "prometheus")
	})
	t.Run("no token is logged", func(t *testing.T) {
		t.Parallel()
		g := newGated(t)
		g.away = true
		g.scrape(http.StatusServiceUnavailable, "secret-text")
		if strings.Contains(g.log.String(), "secret-text") {
			t.Error(g.log.String())
		}
	})
}
