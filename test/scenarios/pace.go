package scenarios

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/daemonset-exporter/daemonset_exporter/test/scenarios/shipped"
)

// pace divides every `for`, range and offset of the rules, and every interval of
// Alertmanager's configuration. With 30 a scrape each second stands for one every
// 30 s, and ten minutes take twenty seconds.
//
// Durations of the control plane cannot be scaled: see fixedTimes.
const pace = 30

// fixedTimes replaces durations that are written in other ways, or depend on the control
// plane: a pod is replaced within seconds, not within a thirtieth of 2 minutes.
func fixedTimes() *strings.Replacer {
	return strings.NewReplacer(
		// An hour in seconds, divided by pace.
		`time() - 3600`, `time() - 120`,
		`le=~"120(\\.0)?"`, `le=~"10(\\.0)?"`,
		// A scenario lasts less than two hours, divided by pace.
		`115m`, `40m`,
		// A refused request is retried after up to half a minute.
		`watch_errors_total[5m]`, `watch_errors_total[30m]`,
	)
}

var (
	inRange  = regexp.MustCompile(`\[\w+(:\w+)?\]`)
	inOffset = regexp.MustCompile(`offset (\w+)`)
	inYAML   = regexp.MustCompile(`((?:interval|wait|timeout): )(\d+[smhd])\b`)
)

// speedUp divides the durations of rules by pace.
func speedUp(rules *shipped.Rules) (*shipped.Rules, error) {
	fast := &shipped.Rules{}
	var failure error
	scale := func(text string) string {
		duration, err := model.ParseDuration(text)
		if err != nil {
			failure = fmt.Errorf("scale %q: %w", text, err)
		}
		return model.Duration(time.Duration(duration) / pace).String()
	}
	for _, group := range rules.Groups {
		copied := shipped.Group{Name: group.Name}
		for _, rule := range group.Rules {
			if rule.For != "" {
				rule.For = scale(rule.For)
			}
			rule.Expr = fixedTimes().Replace(rule.Expr)
			rule.Expr = inRange.ReplaceAllStringFunc(rule.Expr, func(match string) string {
				window, step, isSubquery := strings.Cut(strings.Trim(match, "[]"), ":")
				if isSubquery {
					return "[" + scale(window) + ":" + scale(step) + "]"
				}
				return "[" + scale(window) + "]"
			})
			rule.Expr = inOffset.ReplaceAllStringFunc(rule.Expr, func(match string) string {
				return "offset " + scale(strings.TrimPrefix(match, "offset "))
			})
			copied.Rules = append(copied.Rules, rule)
		}
		fast.Groups = append(fast.Groups, copied)
	}
	return fast, failure
}

// speedUpText divides the intervals in a YAML text by pace.
func speedUpText(text string) (string, error) {
	var failure error
	fast := inYAML.ReplaceAllStringFunc(text, func(match string) string {
		parts := inYAML.FindStringSubmatch(match)
		duration, err := model.ParseDuration(parts[2])
		if err != nil {
			failure = fmt.Errorf("scale %q: %w", match, err)
		}
		return parts[1] + model.Duration(time.Duration(duration)/pace).String()
	})
	return fast, failure
}
