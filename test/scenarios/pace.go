package scenarios

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

// Pace is how many times faster than written the rules are evaluated. With 30 a
// scrape each second stands for one every 30 s, and ten minutes take twenty
// seconds.
//
// It divides every `for`, range and offset of the rules, and every interval of
// Alertmanager's configuration. What is a moment of the real parts cannot be
// sped up with it, and has its own translation in slowParts.
const Pace = 30

// slowParts are what the real parts need however fast the rules are: a quiet API
// server gives its sign of life each minute; a pod is replaced within seconds,
// not within a thirtieth of 2 minutes. Each pair is a text of a rule, and what
// stands for it here.
func slowParts() *strings.Replacer {
	return strings.NewReplacer(
		`last_event_timestamp_seconds) > 300`, `last_event_timestamp_seconds) > 90`,
		`le=~"120(\\.0)?"`, `le=~"10(\\.0)?"`,
		// What is refused is tried again after up to half a minute.
		`watch_errors_total[5m]`, `watch_errors_total[30m]`,
	)
}

var (
	inRange  = regexp.MustCompile(`\[(\w+)\]`)
	inOffset = regexp.MustCompile(`offset (\w+)`)
	inYAML   = regexp.MustCompile(`((?:interval|wait|timeout): )(\d+[smhd])\b`)
)

// Hasten divides the durations of rules by Pace.
func Hasten(rules *shipped.Rules) (*shipped.Rules, error) {
	fast := &shipped.Rules{}
	var failure error
	hasten := func(text string) string {
		duration, err := model.ParseDuration(text)
		if err != nil {
			failure = fmt.Errorf("hasten %q: %w", text, err)
		}
		return model.Duration(time.Duration(duration) / Pace).String()
	}
	for _, group := range rules.Groups {
		copied := shipped.Group{Name: group.Name}
		for _, rule := range group.Rules {
			if rule.For != "" {
				rule.For = hasten(rule.For)
			}
			rule.Expr = slowParts().Replace(rule.Expr)
			rule.Expr = inRange.ReplaceAllStringFunc(rule.Expr, func(match string) string {
				return "[" + hasten(match[1:len(match)-1]) + "]"
			})
			rule.Expr = inOffset.ReplaceAllStringFunc(rule.Expr, func(match string) string {
				return "offset " + hasten(strings.TrimPrefix(match, "offset "))
			})
			copied.Rules = append(copied.Rules, rule)
		}
		fast.Groups = append(fast.Groups, copied)
	}
	return fast, failure
}

// hastenText divides the intervals in a YAML text by Pace.
func hastenText(text string) (string, error) {
	var failure error
	fast := inYAML.ReplaceAllStringFunc(text, func(match string) string {
		parts := inYAML.FindStringSubmatch(match)
		duration, err := model.ParseDuration(parts[2])
		if err != nil {
			failure = fmt.Errorf("hasten %q: %w", match, err)
		}
		return parts[1] + model.Duration(time.Duration(duration)/Pace).String()
	})
	return fast, failure
}
