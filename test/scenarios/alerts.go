package scenarios

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// alert is one alert in Alertmanager, from first to last.
type alert struct {
	Labels      map[string]string
	Annotations map[string]string
	First       time.Time // when Alertmanager first had it
	Inhibited   bool      // ever
}

func (a *alert) name() string { return a.Labels["alertname"] }

// shortName returns the name without the prefix that all alerts of its set have.
func (a *alert) shortName() string {
	return strings.TrimPrefix(strings.TrimPrefix(a.name(), "DaemonSet"), "Kube")
}

// alertLog holds all alerts that Alertmanager ever had.
type alertLog struct {
	mu     sync.Mutex
	alerts map[string]*alert
}

// follow polls Alertmanager's API twice a second until ctx is done.
func (l *alertLog) follow(ctx context.Context, alertmanager *program) error {
	poll := time.NewTicker(500 * time.Millisecond)
	defer poll.Stop()
	for {
		if err := l.read(ctx, alertmanager); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
		}
	}
}

func (l *alertLog) read(ctx context.Context, alertmanager *program) error {
	body, err := get(ctx, alertmanager.url+"/api/v2/alerts")
	if err != nil {
		return fmt.Errorf("read alerts: %w", err)
	}
	var list []struct {
		Fingerprint string            `json:"fingerprint"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
		Status      struct {
			InhibitedBy []string `json:"inhibitedBy"`
		} `json:"status"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return fmt.Errorf("read alerts: %w", err)
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, item := range list {
		known := l.alerts[item.Fingerprint]
		if known == nil {
			known = &alert{Labels: item.Labels, First: now}
			l.alerts[item.Fingerprint] = known
		}
		known.Annotations = item.Annotations
		known.Inhibited = known.Inhibited || len(item.Status.InhibitedBy) > 0
	}
	return nil
}

// of returns the alerts about a scenario, oldest first: the exporter's if ours is
// set, otherwise those of the comparison.
func (l *alertLog) of(scenario string, ours bool) []*alert {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []*alert
	for _, a := range l.alerts {
		if strings.HasPrefix(a.name(), "DaemonSet") == ours && subject(a.Labels) == scenario {
			copied := *a
			found = append(found, &copied)
		}
	}
	slices.SortFunc(found, func(a, b *alert) int { return a.First.Compare(b.First) })
	return found
}

// subjects returns the names of the scenarios that alerts are about, known or not.
func (l *alertLog) subjects() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := map[string]bool{}
	for _, a := range l.alerts {
		seen[subject(a.Labels)] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// subject returns the scenario of the object that an alert names: a failing
// exporter, a DaemonSet, a pod or a node, whose names begin with it, a zone, or a replica.
func subject(labels map[string]string) string {
	for _, label := range []string{"cluster", "daemonset", "node", "pod", "zone", "instance"} {
		if value := labels[label]; value != "" {
			name, _, _ := strings.Cut(value, "-")
			return name
		}
	}
	return "nothing"
}
