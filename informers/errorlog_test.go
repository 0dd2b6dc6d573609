package informers

import (
	"errors"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	testclock "k8s.io/utils/clock/testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
)

func TestErrorLog(t *testing.T) {
	t.Parallel()
	pods, nodes := resourceNamed(t, Pods).permission(), resourceNamed(t, Nodes).permission()
	forbidden := &RequestError{Kind: ErrorForbidden, Verb: "list", Needs: pods, Namespace: "a", User: "me"}
	const forbiddenLine = `level=error msg="list failed" resource=pods namespace=a verb=list reason=forbidden err="forbidden: cannot list pods in the API group \"\" in namespace \"a\": grant get, list, watch on pods to me; see deploy/"` + "\n"
	for name, test := range map[string]struct {
		log  func(errorLog *errorLog, clock *testclock.FakePassiveClock)
		want []string
	}{
		"a problem is logged once a minute": {func(l *errorLog, clock *testclock.FakePassiveClock) {
			l.failed(forbidden)
			clock.SetTime(noon().Add(59 * time.Second))
			l.failed(forbidden)
			clock.SetTime(noon().Add(60 * time.Second))
			l.failed(forbidden)
		}, []string{forbiddenLine, forbiddenLine}},
		"each namespace is a problem of its own, whatever the verb": {func(l *errorLog, _ *testclock.FakePassiveClock) {
			l.failed(forbidden)
			l.failed(&RequestError{Kind: ErrorForbidden, Verb: "watch", Needs: pods, Namespace: "a", User: "me"})
			l.failed(&RequestError{Kind: ErrorOther, Verb: "watch", Needs: pods, Namespace: "b", Err: errors.New("oh")})
		}, []string{
			forbiddenLine,
			`level=error msg="watch failed" resource=pods namespace=b verb=watch reason=other err="cannot watch pods in namespace \"b\": oh"` + "\n",
		}},
		"an unreachable server is one problem of all resources": {func(l *errorLog, _ *testclock.FakePassiveClock) {
			l.failed(&RequestError{Kind: ErrorUnreachable, Verb: "watch", Needs: nodes, Err: errors.New("EOF")})
			l.failed(&RequestError{Kind: ErrorUnreachable, Verb: "watch", Needs: pods, Err: errors.New("EOF")})
		}, []string{
			`level=error msg="watch failed" resource=nodes verb=watch reason=unreachable err="unreachable: the API server does not answer: check its address in the kubeconfig, the network, and that it runs: EOF"` + "\n",
		}},
		"an expired version is no error": {func(l *errorLog, _ *testclock.FakePassiveClock) {
			l.failed(&RequestError{Kind: ErrorExpired, Verb: "watch", Needs: nodes, Err: errors.New("too old")})
		}, []string{
			`level=info msg="watch failed" resource=nodes verb=watch reason=expired err="expired: reading all nodes again, nothing has to be done: too old"` + "\n",
		}},
		"a recovery is logged": {func(l *errorLog, _ *testclock.FakePassiveClock) {
			l.recovered(Pods, "a")
			l.recovered(Nodes, "")
			l.recovered(Nodes, "")
		}, []string{
			`level=info msg="watch recovered" resource=pods namespace=a` + "\n",
			`level=info msg="watch recovered" resource=nodes` + "\n",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			logs, clock := &async.Buffer{}, testclock.NewFakePassiveClock(noon())
			test.log(newErrorLog(clock, log.NewLogfmtLogger(logs)), clock)
			if diff := cmp.Diff(test.want, logs.With("")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
