// Package check says in one line what tests check again and again.
package check

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// NoError ends the test if there is an error.
func NoError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Must returns a function that returns value, or ends the test if there is an error:
//
//	file := check.Must(os.Open(name))(t)
func Must[T any](value T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		NoError(t, err)
		return value
	}
}

// Equal reports how got differs from want; what it is about goes in front.
func Equal[T any](t testing.TB, got, want T, what ...any) {
	t.Helper()
	unexported := cmp.Exporter(func(reflect.Type) bool { return true })
	if diff := cmp.Diff(want, got, unexported); diff != "" {
		t.Error(fmt.Sprintln(append(what, "(-want +got):")...) + diff)
	}
}

// Len reports a list that does not have so many elements.
func Len[S ~[]E, E any](t testing.TB, list S, want int, what ...any) {
	t.Helper()
	if len(list) != want {
		t.Error(fmt.Sprintln(append(what, fmt.Sprintf("%d, want %d: %v", len(list), want, list))...))
	}
}

// That reports what is wrong if a condition does not hold.
func That(t testing.TB, holds bool, format string, args ...any) {
	t.Helper()
	if !holds {
		t.Errorf(format, args...)
	}
}

// Require ends the test, and says what is wrong, if a condition does not hold.
func Require(t testing.TB, holds bool, format string, args ...any) {
	t.Helper()
	if !holds {
		t.Fatalf(format, args...)
	}
}
