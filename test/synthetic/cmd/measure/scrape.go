//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/costs"
)

// scrapes is the number of scrapes in each encoding.
const scrapes = 21

// scrape scrapes as Prometheus does, alternating plain and compressed.
func (r *running) scrape(ctx context.Context, times int) error {
	before, err := processorTimeOf(r.pid())
	if err != nil {
		return err
	}
	var plain, zipped []costs.Scrape
	for range times {
		one, body, err := get(ctx, r.url+"/metrics", "identity")
		if err != nil {
			return err
		}
		plain, r.cost.Series = append(plain, one), seriesIn(body)
		if one, _, err = get(ctx, r.url+"/metrics", "gzip"); err != nil {
			return err
		}
		zipped = append(zipped, one)
	}
	after, err := processorTimeOf(r.pid())
	if err != nil {
		return err
	}
	r.cost.ScrapeProcessor = costs.Duration((after - before) / time.Duration(2*times))
	r.cost.Plain, r.cost.Zipped = medianScrape(plain), medianScrape(zipped)
	return nil
}

// seriesIn returns the number of series in the text format.
func seriesIn(body []byte) (count int) {
	for line := range bytes.Lines(body) {
		if line[0] != '#' {
			count++
		}
	}
	return count
}

func medianScrape(all []costs.Scrape) costs.Scrape {
	slices.SortFunc(all, func(a, b costs.Scrape) int { return int(a.Took - b.Took) })
	return all[len(all)/2]
}

// get returns the body of a page, as it was sent.
func get(ctx context.Context, url, encoding string) (costs.Scrape, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return costs.Scrape{}, nil, err
	}
	request.Header.Set("Accept-Encoding", encoding)
	request.Header.Set("Accept", "text/plain;version=0.0.4")
	began := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return costs.Scrape{}, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.200s", url, response.Status, body)
	}
	return costs.Scrape{Took: costs.Duration(time.Since(began)), Size: len(body)}, body, err
}

// awaitBody waits until a URL responds with 200 and a body as it should be.
func awaitBody(ctx context.Context, url string, as func(body string) bool) error {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(10 * time.Minute)
	for {
		_, body, err := get(ctx, url, "identity")
		if err == nil && as(string(body)) {
			return nil
		}
		select {
		case <-ticker.C:
		case <-deadline:
			return fmt.Errorf("%s in 10 minutes: %q, %w", url, body, err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
