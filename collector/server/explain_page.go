package server

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/collector"
	"github.com/daemonset-exporter/daemonset_exporter/collector/coverage"
)

// explainPage is what the template of the page shows.
type explainPage struct {
	Namespace, DaemonSet, Node    string
	Verdict, Reason, Class        string
	Stamp, Clock                  string
	NodeHref, DaemonSetHref, JSON string
	Facts                         []fact
	Rules                         []ruleView
	Difference                    string
	Notes, Advice                 []string
	Pods                          []podView
}

type fact struct{ Name, Text string }

type ruleView struct {
	Name, Verdict, Class string
	Evidence             []string
}

type podView struct {
	Name, State, Since string
	Containers         []string
}

// errExplainWhat says what /explain needs.
var errExplainWhat = errors.New("explain what? Set daemonset=NAMESPACE/NAME and node=NODE")

// cellOf returns the cell that the parameters of a request name.
func cellOf(values url.Values) (namespace, daemonSet, node string, err error) {
	namespace, daemonSet, ok := strings.Cut(values.Get(parameterDaemonSet), "/")
	node = values.Get(parameterNode)
	if !ok || namespace == "" || daemonSet == "" || node == "" {
		return "", "", "", errExplainWhat
	}
	return namespace, daemonSet, node, nil
}

// explain serves the explanation of a cell. Of a DaemonSet or a node alone it leads to
// the table.
func (p *pages) explain(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	namespace, daemonSet, ok := strings.Cut(values.Get(parameterDaemonSet), "/")
	switch node := values.Get(parameterNode); {
	case ok && node == "":
		http.Redirect(w, r, ofDaemonSet(namespace, daemonSet), http.StatusSeeOther) //nolint:gosec // it leads to the table
		return
	case values.Get(parameterDaemonSet) == "" && node != "":
		http.Redirect(w, r, ofNode(node), http.StatusSeeOther) //nolint:gosec // it leads to the table
		return
	}
	namespace, daemonSet, node, err := cellOf(values)
	if err != nil {
		respond(w, http.StatusBadRequest, err.Error()+"\n")
		return
	}
	explanation, err := p.source.Explain(namespace, daemonSet, node)
	if err != nil {
		respond(w, http.StatusNotFound, err.Error()+"\n")
		return
	}
	p.render(w, "explain.html", newExplainPage(&explanation, p.clock.Now()))
}

func (p *pages) apiExplain(w http.ResponseWriter, r *http.Request) {
	namespace, daemonSet, node, err := cellOf(r.URL.Query())
	if err != nil {
		p.sendJSON(w, http.StatusBadRequest, collector.NewProblem(err))
		return
	}
	explanation, err := p.source.Explain(namespace, daemonSet, node)
	if err != nil {
		p.sendJSON(w, http.StatusNotFound, collector.NewProblem(err))
		return
	}
	p.sendJSON(w, http.StatusOK, collector.NewExplanationList(explanation))
}

func newExplainPage(e *collector.Explanation, now time.Time) *explainPage {
	page := &explainPage{
		Namespace: e.Namespace, DaemonSet: e.DaemonSet, Node: e.Node,
		Verdict: string(e.Verdict), Reason: e.Reason, Class: classOf(e.Verdict),
		Stamp: now.UTC().Format(time.RFC3339), Clock: clockText(now),
		NodeHref: ofNode(e.Node), DaemonSetHref: ofDaemonSet(e.Namespace, e.DaemonSet),
		JSON:       "api/v1/" + explainLink(e.Namespace, e.DaemonSet, e.Node),
		Difference: e.Placement.Difference, Notes: e.Placement.Notes,
	}
	page.Facts = factsOf(e, now)
	for i := range e.Placement.Rules {
		page.addRule(&e.Placement.Rules[i])
	}
	for i := range e.Pods {
		page.Pods = append(page.Pods, newPod(&e.Pods[i], now))
	}
	for _, plan := range e.Placement.Plans {
		page.Advice = append(page.Advice, plan.String())
	}
	page.Advice = append(page.Advice, e.Advice...)
	return page
}

func factsOf(e *collector.Explanation, now time.Time) []fact {
	facts := []fact{}
	add := func(name, text string, since *time.Time) {
		if text == "" && since == nil {
			return
		}
		if since != nil {
			text = strings.TrimSpace(text + " since " + sinceText(since, now))
		}
		facts = append(facts, fact{name, text})
	}
	add("Verdict", string(e.Verdict), nil)
	add("Reason", e.Reason, nil)
	add("Cause", e.Cause, nil)
	if e.GapStart != nil {
		add("Gap", "", e.GapStart)
	}
	add("Node status", e.NodeStatus, e.NodeStatusSince)
	add("Node lifecycle", e.Lifecycle, nil)
	add("Zone", e.Zone, nil)
	add("DaemonSet controller", e.Placement.Controller(), nil)
	if e.Outdated {
		add("Revision", "the pod is not of the current revision", nil)
	}
	if len(e.Pods) == 0 {
		add("Pods", "none", nil)
	}
	return facts
}

func sinceText(at *time.Time, now time.Time) string {
	if at == nil {
		return ""
	}
	return clockText(*at) + " (" + age(*at, now) + ")"
}

func (page *explainPage) addRule(rule *coverage.Rule) {
	view := ruleView{Name: rule.Name, Verdict: string(rule.Verdict)}
	switch rule.Verdict {
	case coverage.RuleExcludes, coverage.RuleWithholds:
		view.Class = "x"
	case coverage.RulePasses:
		view.Class = "c"
	case coverage.RuleUnset:
	}
	for _, check := range rule.Checks() {
		view.Evidence = append(view.Evidence, check.Text)
	}
	page.Rules = append(page.Rules, view)
}

func newPod(pod *collector.PodExplanation, now time.Time) podView {
	view := podView{Name: pod.Name, State: pod.Reason, Since: sinceText(pod.Since, now)}
	if view.State == "" {
		view.State = "available"
	}
	if pod.Terminating {
		view.State += ", terminating"
	}
	for i := range pod.Containers {
		view.Containers = append(view.Containers, pod.Containers[i].String())
	}
	return view
}
