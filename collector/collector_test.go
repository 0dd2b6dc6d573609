package collector

import (
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/informers"
	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	testingclock "k8s.io/utils/clock/testing"
	"time"
)

func TestLint(t *testing.T) {
	c, err := New(Config{Clock: testingclock.NewFakeClock(time.Unix(1000, 0)), Logger: log.NewNopLogger(), Health: func() []informers.ResourceHealth { return []informers.ResourceHealth{{Resource: "pods"}} }, MaxGapSeries: 10})
	if err != nil {
		t.Fatal(err)
	}
	c.Synced()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(c)
	mfs, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(mfs).Lint()
	t.Log(len(mfs), problems, err)
}
