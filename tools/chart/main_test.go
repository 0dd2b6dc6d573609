package main

import "testing"

func TestTable(t *testing.T) {
	t.Parallel()
	t.Run("it has a row for each value and each section with a comment", func(t *testing.T) {
		t.Parallel()
		got, err := table([]byte("# Of the file.\n\n# One\n# line.\na: 1\nb:\n  # Inner | bar.\n  c: {d: x}\n# Section.\ne:\n  # Null.\n  f: null\n# Whole.\ng:\n  h: [true]\n"))
		const want = "| key | default | meaning |\n|---|---|---|\n| `a` | `1` | One line. |\n| `b.c` | `{\"d\":\"x\"}` | Inner \\| bar. |\n" +
			"| `e` | | Section. |\n| `e.f` | `null` | Null. |\n| `g` | `{\"h\":[true]}` | Whole. |\n"
		if err != nil || got != want {
			t.Errorf("%v\n%s", err, got)
		}
	})
	t.Run("a value without a comment is an error", func(t *testing.T) {
		t.Parallel()
		if got, err := table([]byte("# One.\na: 1\nb: 2\n")); err == nil || err.Error() != "values.yaml:3: b has no comment" {
			t.Errorf("%v\n%s", err, got)
		}
	})
}
