package coverage

import (
	"cmp"
	"fmt"
	"strings"
)

// Check is one line of a rule's evidence, in words.
type Check struct {
	Verdict RuleVerdict
	Text    string
}

// Checks returns the evidence of a rule in words.
func (r *Rule) Checks() []Check {
	var checks []Check
	add := func(verdict RuleVerdict, format string, args ...any) {
		checks = append(checks, Check{verdict, fmt.Sprintf(format, args...)})
	}
	switch {
	case r.Verdict == RuleUnset && r.Name == ExcludedByTaint.String():
		add(r.Verdict, "the node has none")
	case r.Verdict == RuleUnset:
		add(r.Verdict, "not set")
	case r.NodeName != "":
		add(r.Verdict, "wants node %s", r.NodeName)
	}
	for i := range r.Requirements {
		requirement := &r.Requirements[i]
		add(verdictOf(requirement.Holds), "%s: %s", requirement, requirement.Found())
	}
	for i := range r.Terms {
		add(r.termVerdict(&r.Terms[i]), "term %d of %d: %s", i+1, len(r.Terms), &r.Terms[i])
	}
	if r.Name == ExcludedByNodeAffinity.String() && r.Verdict == RuleExcludes && len(r.Terms) == 0 {
		add(r.Verdict, "no terms, no node matches")
	}
	for i := range r.Taints {
		taint := &r.Taints[i]
		add(taint.Verdict, "%s: %s", taint, taint.effectText())
	}
	return checks
}

// termVerdict returns the verdict of one term: one that does not hold excludes nothing
// where another one holds.
func (r *Rule) termVerdict(term *Term) RuleVerdict {
	if !term.Holds && r.Verdict == RulePasses {
		return RuleUnset
	}
	return verdictOf(term.Holds)
}

// String returns the term's requirements, each with what the node has.
func (t *Term) String() string {
	texts := make([]string, 0, len(t.Requirements))
	for i := range t.Requirements {
		r := &t.Requirements[i]
		holds := "no"
		if r.Holds {
			holds = "ok"
		}
		texts = append(texts, fmt.Sprintf("%s (%s: %s)", r, holds, r.Found()))
	}
	return cmp.Or(strings.Join(texts, " and "), "empty, matches no node")
}

// effectText returns what the taint does to the DaemonSet.
func (t *Taint) effectText() string {
	switch {
	case t.ToleratedBy == FromTemplate:
		return "tolerated by the template"
	case t.ToleratedBy == FromController:
		return "tolerated, the controller adds the toleration"
	case t.Verdict == RuleWithholds:
		return "not tolerated; a " + t.Class + " taint excludes no node, but the controller makes no pod"
	case t.Verdict == RulePasses:
		return "keeps no pod away"
	case t.Class == "leaving":
		return "not tolerated; it announces the end of the node"
	default:
		return "not tolerated"
	}
}

// Controller returns what the DaemonSet controller does on the node, in words.
func (e *Explanation) Controller() string {
	text := map[string]string{
		VerdictRun.String():  "runs a pod here",
		VerdictKeep.String(): "makes no pod here, keeps one that is there",
		VerdictStop.String(): "makes no pod here, deletes one that is there",
	}[e.Upstream]
	if e.Difference != "" {
		return text + "; expected all the same: " + e.Difference
	}
	return text
}

// String returns the changes of a plan.
func (p *Plan) String() string {
	texts := make([]string, 0, len(p.Changes))
	for i := range p.Changes {
		texts = append(texts, p.Changes[i].Text)
	}
	return strings.Join(texts, ", and ")
}
