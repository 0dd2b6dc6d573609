package check_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// failures is a testing.TB that keeps what is reported to it.
type failures struct {
	testing.TB
	reported string
}

func (f *failures) Helper()                           {}
func (f *failures) Error(args ...any)                 { f.reported += "error: " + fmt.Sprint(args...) }
func (f *failures) Errorf(format string, args ...any) { f.Error(fmt.Sprintf(format, args...)) }
func (f *failures) Fatal(args ...any)                 { f.reported += "fatal: " + fmt.Sprint(args...) }
func (f *failures) Fatalf(format string, args ...any) { f.Fatal(fmt.Sprintf(format, args...)) }

func TestCheck(t *testing.T) {
	for name, test := range map[string]struct {
		pass, fail func(t testing.TB)
		want       string
	}{
		"NoError": {func(t testing.TB) { check.NoError(t, nil) }, func(t testing.TB) { check.NoError(t, errors.New("no")) }, "fatal: no"},
		"Must":    {func(t testing.TB) { check.Must(1, nil)(t) }, func(t testing.TB) { check.Must(1, errors.New("no"))(t) }, "fatal: no"},
		"Equal":   {func(t testing.TB) { check.Equal(t, 1, 1) }, func(t testing.TB) { check.Equal(t, 1, 2, "pods of", "a") }, "error: pods of a (-want +got):\n"},
		"Len":     {func(t testing.TB) { check.Len(t, []int{7}, 1) }, func(t testing.TB) { check.Len(t, []int{7}, 2, "pods") }, "error: pods 1, want 2: [7]"},
		"That":    {func(t testing.TB) { check.That(t, true, "no") }, func(t testing.TB) { check.That(t, false, "%d pods", 1) }, "error: 1 pods"},
		"Require": {func(t testing.TB) { check.Require(t, true, "no") }, func(t testing.TB) { check.Require(t, false, "%d pods", 1) }, "fatal: 1 pods"},
	} {
		t.Run(name, func(t *testing.T) {
			var good, bad failures
			test.pass(&good)
			test.fail(&bad)
			if good.reported != "" || len(bad.reported) < len(test.want) || bad.reported[:len(test.want)] != test.want {
				t.Errorf("reported %q and %q, want nothing and %q", good.reported, bad.reported, test.want)
			}
		})
	}
}
