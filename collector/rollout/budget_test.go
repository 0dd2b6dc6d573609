package rollout_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/daemonset-exporter/daemonset_exporter/collector/rollout"
	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/objects"
)

func TestMaxUnavailable(t *testing.T) {
	t.Parallel()
	withoutNumbers := objects.Change(func(ds *appsv1.DaemonSet) { ds.Spec.UpdateStrategy.RollingUpdate = nil })
	withoutSurge := objects.Change(func(ds *appsv1.DaemonSet) { ds.Spec.UpdateStrategy.RollingUpdate.MaxSurge = nil })
	for name, test := range map[string]struct {
		ds      objects.Option
		desired int
		want    int
	}{
		"a number is itself":                            {objects.RollingUpdate("2", "0"), 5, 2},
		"a number may exceed the nodes":                 {objects.RollingUpdate("10", "0"), 5, 10},
		"without nodes a number is itself":              {objects.RollingUpdate("2", "0"), 0, 2},
		"a percentage is rounded up":                    {objects.RollingUpdate("10%", "0"), 5, 1},
		"half of five is three":                         {objects.RollingUpdate("50%", "0"), 5, 3},
		"half of four is two":                           {objects.RollingUpdate("50%", "0"), 4, 2},
		"a percentage may be all":                       {objects.RollingUpdate("100%", "0"), 5, 5},
		"a percentage may be more than all":             {objects.RollingUpdate("200%", "0"), 5, 10},
		"without nodes a percentage is nothing":         {objects.RollingUpdate("50%", "0"), 0, 0},
		"nothing at all becomes one":                    {objects.RollingUpdate("0", "0"), 5, 1},
		"no percent at all becomes one":                 {objects.RollingUpdate("0%", "0%"), 5, 1},
		"without nodes nothing stays nothing":           {objects.RollingUpdate("0", "0"), 0, 0},
		"a strategy without numbers has one":            {withoutNumbers, 5, 1},
		"a strategy without numbers and nodes has none": {withoutNumbers, 0, 0},
		"no maxSurge is no surge":                       {withoutSurge, 5, 1},
		"no percent of surge is no surge":               {objects.RollingUpdate("2", "0%"), 5, 2},
		"an update that surges has none":                {objects.RollingUpdate("0", "1"), 5, 0},
		"one that surges by percent has none":           {objects.RollingUpdate("0", "20%"), 5, 0},
		"ten percent of surge are some":                 {objects.RollingUpdate("0", "10%"), 5, 0},
		"OnDelete has none":                             {objects.OnDelete(), 5, 0},
		"a negative number is none":                     {objects.RollingUpdate("-3", "0"), 5, 0},
		"a negative percentage is none":                 {objects.RollingUpdate("-50%", "0"), 5, 0},
		"a negative surge is no surge":                  {objects.RollingUpdate("2", "-1"), 5, 2},
		"a number that is none":                         {objects.RollingUpdate("half", "0"), 5, 0},
		"a percentage that is none":                     {objects.RollingUpdate("%", "0"), 5, 0},
	} {
		t.Run(name, func(t *testing.T) {
			ds := slim.FromDaemonSet(objects.DaemonSet("agent", test.ds))
			check.Equal(t, rollout.MaxUnavailable(ds, test.desired), test.want)
		})
	}
}

func TestMaxSurge(t *testing.T) {
	t.Parallel()
	withoutNumbers := objects.Change(func(ds *appsv1.DaemonSet) { ds.Spec.UpdateStrategy.RollingUpdate = nil })
	for name, test := range map[string]struct {
		ds      objects.Option
		desired int
		want    int
	}{
		"a number is itself":                    {objects.RollingUpdate("0", "2"), 5, 2},
		"a percentage is rounded up":            {objects.RollingUpdate("0", "10%"), 5, 1},
		"without nodes a percentage is nothing": {objects.RollingUpdate("0", "50%"), 0, 0},
		"no surge is none":                      {objects.RollingUpdate("2", "0"), 5, 0},
		"no percent of surge is none":           {objects.RollingUpdate("2", "0%"), 5, 0},
		"a strategy without numbers has none":   {withoutNumbers, 5, 0},
		"OnDelete has none":                     {objects.OnDelete(), 5, 0},
		"a negative number is none":             {objects.RollingUpdate("2", "-1"), 5, 0},
		"a negative percentage is none":         {objects.RollingUpdate("2", "-50%"), 5, 0},
		"a percentage that is none":             {objects.RollingUpdate("2", "many%"), 5, 0},
	} {
		t.Run(name, func(t *testing.T) {
			ds := slim.FromDaemonSet(objects.DaemonSet("agent", test.ds))
			check.Equal(t, rollout.MaxSurge(ds, test.desired), test.want)
		})
	}
}
