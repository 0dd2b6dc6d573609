//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// measured holds the results of one run of a program.
type measured struct {
	// peak is the maximum of resident memory, resident the value after the last
	// scrape, in bytes.
	peak, resident int64
	// synced is the time from the start until it had synced, processor the processor
	// time until then.
	synced, processor time.Duration
	// plain and zipped are the median scrapes.
	plain, zipped scrape
	// series is the number of series in a scrape.
	series int
}

// scrape holds the cost of a scrape.
type scrape struct {
	took time.Duration
	size int
}

// scrapes is the number of scrapes in each encoding.
const scrapes = 11

func measureFloor(ctx context.Context, program, kubeconfig string) (m measured, err error) {
	p, err := start(ctx, nil, program, "-kubeconfig", kubeconfig)
	if err != nil {
		return m, err
	}
	defer p.stop()
	if _, err := p.line(); err != nil {
		return m, err
	}
	if err := m.noteSync(p); err != nil {
		return m, err
	}
	return m, m.noteMemory(p)
}

func measureExporter(ctx context.Context, program, kubeconfig string, o *options, hold bool) (m measured, err error) {
	address, err := freeAddress()
	if err != nil {
		return m, err
	}
	arguments := append([]string{"--kubeconfig=" + kubeconfig, "--web.listen-address=" + address, "--log.level=warn"}, o.arguments...)
	p, err := start(ctx, o.environment, program, arguments...)
	if err != nil {
		return m, err
	}
	defer p.stop()
	if err := awaitReady(ctx, "http://"+address+"/-/ready"); err != nil {
		return m, err
	}
	if err := m.noteSync(p); err != nil {
		return m, err
	}
	if err := m.scrape(ctx, "http://"+address+"/metrics"); err != nil {
		return m, err
	}
	if err := m.noteMemory(p); err != nil {
		return m, err
	}
	if hold {
		fmt.Printf("http://%s, process %d, until Ctrl-C\n", address, p.pid())
		<-ctx.Done()
	}
	return m, nil
}

func (m *measured) noteSync(p *process) (err error) {
	m.synced = time.Since(p.began)
	m.processor, err = processorTimeOf(p.pid())
	return err
}

func (m *measured) noteMemory(p *process) (err error) {
	if m.peak, err = peakOf(p.pid()); err != nil {
		return err
	}
	m.resident, err = residentOf(p.pid())
	return err
}

// scrape scrapes as Prometheus does, alternating plain and compressed.
func (m *measured) scrape(ctx context.Context, url string) error {
	var plain, zipped []scrape
	for range scrapes {
		one, body, err := get(ctx, url, "identity")
		if err != nil {
			return err
		}
		plain = append(plain, one)
		m.series = 0
		for line := range strings.Lines(string(body)) {
			if !strings.HasPrefix(line, "#") {
				m.series++
			}
		}
		if one, _, err = get(ctx, url, "gzip"); err != nil {
			return err
		}
		zipped = append(zipped, one)
	}
	byTime := func(a, b scrape) int { return int(a.took - b.took) }
	slices.SortFunc(plain, byTime)
	slices.SortFunc(zipped, byTime)
	m.plain, m.zipped = plain[scrapes/2], zipped[scrapes/2]
	return nil
}

func get(ctx context.Context, url, encoding string) (scrape, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return scrape{}, nil, err
	}
	request.Header.Set("Accept-Encoding", encoding)
	request.Header.Set("Accept", "text/plain;version=0.0.4")
	began := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return scrape{}, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", url, response.Status, body)
	}
	return scrape{time.Since(began), len(body)}, body, err
}

// awaitReady waits until a URL responds with 200.
func awaitReady(ctx context.Context, url string) error {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(10 * time.Minute)
	for {
		_, _, err := get(ctx, url, "identity")
		if err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-deadline:
			return fmt.Errorf("the exporter did not become ready: %w", err)
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
