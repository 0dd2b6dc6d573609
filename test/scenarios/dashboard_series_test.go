package scenarios

import (
	"fmt"
	"maps"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// The files in testdata/dashboards have lines of series: a name, labels, and values at
// equal distances. A value is a number, a time such as T+60 (in milliseconds: T+60ms),
// a word for a number, or _ for none; a*3 is three times a, and 0..10/5 is 0 5 10. A
// histogram has the word durations, and then seconds@scrape.

// origin is the time T. A month of data is looked for before it, in windows that begin
// at midnight.
var origin = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// A line is one series of a file, or one histogram. Missing values are NaN.
type line struct {
	name      string
	labels    map[string]string
	values    []float64
	durations []duration // of a histogram, which has no values
}

// A duration is observed before a scrape. NaN is none: the histogram is there from this
// scrape on, as it would be with one.
type duration struct {
	seconds float64
	at      int
}

var (
	linePattern  = regexp.MustCompile(`^\s*([\w:]*)\{(.*)\}((?: \S+)+)$`)
	labelPattern = regexp.MustCompile(`(\w+)="([^"]*)"`)
)

// parseLine parses one line. words holds the numbers that words stand for. Labels that
// are empty are none.
func parseLine(text string, words map[string]float64) (line, error) {
	parts := linePattern.FindStringSubmatch(text)
	if parts == nil {
		return line{}, fmt.Errorf("%q is no series", text)
	}
	parsed := line{name: parts[1], labels: map[string]string{}}
	for _, label := range labelPattern.FindAllStringSubmatch(parts[2], -1) {
		if label[2] != "" {
			parsed.labels[label[1]] = label[2]
		}
	}
	tokens := strings.Fields(parts[3])
	if tokens[0] == "durations" {
		var err error
		parsed.durations, err = parseDurations(tokens[1:])
		return parsed, err
	}
	for _, token := range tokens {
		values, err := parseValues(token, words)
		if err != nil {
			return line{}, fmt.Errorf("%q: %w", text, err)
		}
		parsed.values = append(parsed.values, values...)
	}
	return parsed, nil
}

func parseDurations(tokens []string) ([]duration, error) {
	var all []duration
	for _, token := range tokens {
		one := duration{seconds: math.NaN()}
		seconds, at, _ := strings.Cut(token, "@")
		var err error
		if one.at, err = strconv.Atoi(at); err == nil && seconds != "" {
			one.seconds, err = strconv.ParseFloat(seconds, 64)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func parseValues(token string, words map[string]float64) ([]float64, error) {
	if from, rest, isRamp := strings.Cut(token, ".."); isRamp {
		to, by, _ := strings.Cut(rest, "/")
		ends, err := parseAll(words, from, to, by)
		if err != nil {
			return nil, err
		}
		var values []float64
		for i := range int(math.Round((ends[1]-ends[0])/ends[2])) + 1 {
			values = append(values, ends[0]+float64(i)*ends[2])
		}
		return values, nil
	}
	value, times, repeated := strings.Cut(token, "*")
	count := 1
	if repeated {
		var err error
		if count, err = strconv.Atoi(times); err != nil {
			return nil, err
		}
	}
	one, err := parseAll(words, value)
	if err != nil {
		return nil, err
	}
	return slices.Repeat(one, count), nil
}

var timePattern = regexp.MustCompile(`^T([+-]\d+)(ms)?$`)

func parseAll(words map[string]float64, tokens ...string) ([]float64, error) {
	var values []float64
	for _, token := range tokens {
		value, err := strconv.ParseFloat(token, 64)
		switch moment, isWord := words[token], words[token] != 0; {
		case token == "_":
			value, err = math.NaN(), nil
		case isWord:
			value, err = moment, nil
		case timePattern.MatchString(token):
			parts := timePattern.FindStringSubmatch(token)
			if value, err = strconv.ParseFloat(parts[1], 64); err == nil {
				value += float64(origin.Unix())
			}
			if parts[2] != "" {
				value *= 1000
			}
		}
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

const (
	scrapeInterval = 30 * time.Second
	scrapes        = 121 // an hour
)

// readWorld reads a file of what an exporter says. What is scraped gets the label
// instance; what rules record does not.
func readWorld(t *testing.T, path string) []line {
	t.Helper()
	content := check.Must(os.ReadFile(path))(t)
	var world []line
	for text := range strings.Lines(string(content)) {
		text = strings.TrimSpace(text)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		parsed := check.Must(parseLine(text, nil))(t)
		check.Require(t, len(parsed.values) == scrapes || len(parsed.durations) > 0, "%s has %d values", text, len(parsed.values))
		if !recorded(parsed.name) {
			for label, value := range map[string]string{"instance": "one", "job": "daemonset-exporter"} {
				if parsed.labels[label] == "" {
					parsed.labels[label] = value
				}
			}
		}
		world = append(world, parsed)
	}
	return world
}

// recorded reports whether rules make the series of this name.
func recorded(name string) bool {
	return strings.Contains(name, ":") || strings.HasPrefix(name, "ALERTS")
}

// withReplica adds what a second replica says that started later: the same, but that its
// counters began with it.
func withReplica(world []line) []line {
	const start = 45
	all := slices.Clone(world)
	for _, l := range world {
		if recorded(l.name) || l.labels["instance"] != "one" {
			continue
		}
		second := line{name: l.name, labels: maps.Clone(l.labels), values: slices.Clone(l.values)}
		second.labels["instance"] = "two"
		for _, d := range l.durations {
			switch {
			case d.at > start:
				second.durations = append(second.durations, d)
			case math.IsNaN(d.seconds):
				second.durations = append(second.durations, duration{math.NaN(), start})
			}
		}
		for i := range second.values {
			switch {
			case i < start:
				second.values[i] = math.NaN()
			case l.name == "process_start_time_seconds":
				second.values[i] = float64(origin.Add(start*scrapeInterval - 5*time.Second).Unix())
			case counts(l.name) && !math.IsNaN(l.values[start]):
				second.values[i] -= l.values[start]
			}
		}
		all = append(all, second)
	}
	return all
}

// withStaleReplica adds a second replica that was cut off from the API server after half an
// hour, when everything was worse, and has served the same since.
func withStaleReplica(world []line) []line {
	const cut = 60
	all := slices.Clone(world)
	superseded := line{name: "daemonset_exporter:superseded:info", labels: map[string]string{"instance": "two"}, values: slices.Repeat([]float64{math.NaN()}, scrapes)}
	for i := cut; i < scrapes; i++ {
		superseded.values[i] = 1
	}
	for _, l := range world {
		if recorded(l.name) || l.labels["instance"] != "one" {
			continue
		}
		second := line{name: l.name, labels: maps.Clone(l.labels), values: slices.Clone(l.values)}
		second.labels["instance"] = "two"
		second.durations = slices.DeleteFunc(slices.Clone(l.durations), func(d duration) bool { return d.at >= cut })
		for i := cut; i < len(second.values); i++ {
			second.values[i] = second.values[cut-1]
			if aboutTrouble := l.name == "daemonset_gap_nodes" || l.name == "daemonset_expected_nodes"; aboutTrouble {
				second.values[i] += 2
			}
		}
		all = append(all, second)
	}
	return append(all, superseded)
}

// counts reports whether a series of this name only grows.
func counts(name string) bool {
	return strings.HasSuffix(name, "_total")
}

// withCluster returns a world with a label that Prometheus adds.
func withCluster(cluster string, world []line) []line {
	var all []line
	for _, l := range world {
		l.labels = maps.Clone(l.labels)
		l.labels["cluster"] = cluster
		all = append(all, l)
	}
	return all
}
