package server

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"k8s.io/utils/clock"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
)

// The paths of the pages and of the API. Links between them are relative, so that they
// work behind a proxy that adds a prefix.
const (
	CoveragePath    = "/coverage"
	ExplainPath     = "/explain"
	stylePath       = "/style.css"
	apiCoveragePath = "/api/v1/coverage"
	apiExplainPath  = "/api/v1/explain"
)

// maxPages is how many requests for pages and the API are served at once: each copies the
// table.
const maxPages = 10

// pagePaths returns all paths of the pages and of the API.
func pagePaths() []string {
	return []string{CoveragePath, ExplainPath, stylePath, apiCoveragePath, apiExplainPath}
}

// Pages is what the pages and the API show; *collector.Collector implements it. It
// copies what it returns, so that no lock is held while a page is rendered and sent.
type Pages interface {
	Table(query collector.TableQuery) (table collector.Table, ok bool)
	Explain(namespace, daemonSet, node string) (collector.Explanation, error)
	Started() bool
}

//go:embed web
var pageFiles embed.FS

// pages serves the pages and the API.
type pages struct {
	source    Pages
	clock     clock.PassiveClock
	logger    log.Logger
	templates *template.Template
	style     []byte
	// serving limits how many requests are served at once.
	serving chan struct{}
}

func newPages(source Pages, clock clock.PassiveClock, logger log.Logger) (*pages, error) {
	templates, err := template.ParseFS(pageFiles, "web/*.html")
	if err != nil {
		return nil, fmt.Errorf("parsing the pages: %w", err)
	}
	style, err := pageFiles.ReadFile("web/style.css")
	if err != nil {
		return nil, fmt.Errorf("reading the style of the pages: %w", err)
	}
	return &pages{source, clock, logger, templates, style, make(chan struct{}, maxPages)}, nil
}

// register adds the pages and the API to a mux.
func (p *pages) register(mux *http.ServeMux) {
	mux.Handle("GET "+CoveragePath, p.limit(p.coverage))
	mux.Handle("GET "+ExplainPath, p.limit(p.explain))
	mux.Handle("GET "+apiCoveragePath, p.limit(p.apiCoverage))
	mux.Handle("GET "+apiExplainPath, p.limit(p.apiExplain))
	mux.HandleFunc("GET "+stylePath, func(w http.ResponseWriter, _ *http.Request) {
		p.send(w, http.StatusOK, "text/css; charset=utf-8", p.style)
	})
}

// limit returns a handler that serves at most maxPages requests at once, and none before all objects have come in: a half-filled table is full of false gaps.
func (p *pages) limit(serve http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case p.serving <- struct{}{}:
			defer func() { <-p.serving }()
		default:
			respond(w, http.StatusServiceUnavailable, "too many requests at once, try again\n")
			return
		}
		if !p.source.Started() {
			respond(w, http.StatusServiceUnavailable, "not ready: not all objects have come in, see "+ReadyPath+"\n")
			return
		}
		serve(w, r)
	})
}

// render sends a page.
func (p *pages) render(w http.ResponseWriter, name string, data any) {
	var page bytes.Buffer
	if err := p.templates.ExecuteTemplate(&page, name, data); err != nil {
		level.Error(p.logger).Log("msg", "Failed to render a page, please report this", "page", name, "err", err)
		respond(w, http.StatusInternalServerError, "the page cannot be rendered\n")
		return
	}
	p.send(w, http.StatusOK, "text/html; charset=utf-8", page.Bytes())
}

// sendJSON sends a value as JSON.
func (p *pages) sendJSON(w http.ResponseWriter, code int, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		level.Error(p.logger).Log("msg", "Failed to encode an answer, please report this", "err", err)
		respond(w, http.StatusInternalServerError, "the answer cannot be encoded\n")
		return
	}
	p.send(w, code, "application/json", append(text, '\n'))
}

// contentSecurityPolicy lets a page load its style from here and send its form here,
// and nothing else: no script runs, whatever a label holds.
const contentSecurityPolicy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (p *pages) send(w http.ResponseWriter, code int, contentType string, content []byte) {
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Security-Policy", contentSecurityPolicy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(content) // a write error means that the client has gone away
}
