package scenarios

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/child"
)

// program is a program that serves HTTP beside the cluster. It ends with this
// process at the latest.
type program struct {
	name    string
	url     string
	command *exec.Cmd
	log     string
	ended   chan struct{}
}

// startProgram starts a program and returns when the path ready responds. arguments
// is called with the address to listen on.
func startProgram(ctx context.Context, launcher *child.Launcher, dir, name, path, ready string, arguments func(address string) []string) (*program, error) {
	address, err := cluster.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	p := &program{name: name, url: "http://" + address, log: filepath.Join(dir, name+".log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.command = exec.Command(path, arguments(address)...)
	p.command.Dir = dir
	p.command.Stdout, p.command.Stderr = log, log
	if err := launcher.Start(p.command); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = p.command.Wait() // its log holds the reason
		close(p.ended)
	}()
	return p, p.wait(ctx, ready)
}

func (p *program) wait(ctx context.Context, ready string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for {
		_, err := get(ctx, p.url+ready)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w, see %s", p.name, err, p.log)
		case <-p.ended:
			return fmt.Errorf("%s has ended, see %s", p.name, p.log)
		case <-poll.C:
		}
	}
}

func (p *program) stop() {
	_ = p.command.Process.Kill() // it may have ended by itself
	<-p.ended
}

// get returns the body of a response.
func get(ctx context.Context, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP %d: %s", response.StatusCode, body)
	}
	return body, err
}

// query returns the values of each series in the result of a query, at every step, by
// its labels. Missing values are NaN.
func (p *program) query(ctx context.Context, query string, from, to time.Time, step time.Duration) (map[string][]float64, error) {
	from = from.Truncate(time.Second)
	values := url.Values{
		"query": {query},
		"start": {strconv.FormatInt(from.Unix(), 10)},
		"end":   {strconv.FormatInt(to.Unix(), 10)},
		"step":  {strconv.Itoa(int(step.Seconds()))},
	}
	body, err := get(ctx, p.url+"/api/v1/query_range?"+values.Encode())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string `json:"metric"`
				Values []model.SamplePair
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	steps := int(to.Sub(from)/step) + 1
	result := map[string][]float64{}
	for _, series := range answer.Data.Result {
		all := slices.Repeat([]float64{math.NaN()}, steps)
		for _, sample := range series.Values {
			all[int(sample.Timestamp.Time().Sub(from)/step)] = float64(sample.Value)
		}
		result[labelText(series.Metric)] = all
	}
	return result, nil
}

// labelText returns labels as text, without the name of the metric.
func labelText(labels map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if name != model.MetricNameLabel {
			parts = append(parts, fmt.Sprintf("%s=%q", name, labels[name]))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// labelValues returns the values of a label in Prometheus.
func (p *program) labelValues(ctx context.Context, selector, label string) ([]string, error) {
	body, err := get(ctx, p.url+"/api/v1/label/"+label+"/values?"+url.Values{"match[]": {selector}}.Encode())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data []string `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	return answer.Data, nil
}
