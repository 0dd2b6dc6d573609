package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// page holds the table, between two marks. The working directory is that of the module.
const page = "../docs/installing.md"

const (
	begin = "<!-- Written by make test-skew ARGS=-update. -->\n"
	end   = "<!-- End of what make test-skew writes. -->\n"

	passes  = "passes"
	fails   = "fails"
	notRun  = "not run"
	noBuild = "does not build"
)

// row holds the verdict of each story, or one that is said instead of all.
type row []string

func (r row) line(version string) string {
	cells := make([]string, len(stories()))
	copy(cells, r)
	return fmt.Sprintf("| %s | %s |", strings.TrimPrefix(version, "v"), strings.Join(cells, " | "))
}

// works reports whether all stories pass.
func (r row) works() bool { return len(r) == len(stories()) && !slices.Contains(r, fails) }

// promised returns the oldest version after which none fails; nothing if the newest does.
// What was not run may be promised, which the table shows, but not what nobody can run.
func promised(versions []string, rows map[string]row) string {
	found := ""
	for _, version := range slices.Backward(versions) {
		verdicts, known := rows[version]
		switch {
		case !known || slices.Equal(verdicts, row{notRun}) || verdicts.works():
			found = version
		case !slices.Equal(verdicts, row{noBuild}):
			return found
		}
	}
	return found
}

// readTable returns the rows of the table by version, those of the versions only.
func readTable(versions []string) (map[string]row, error) {
	content, err := os.ReadFile(page)
	if err != nil {
		return nil, err
	}
	_, _, table, err := cut(string(content))
	if err != nil {
		return nil, err
	}
	rows := map[string]row{}
	for _, version := range versions {
		line := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(strings.TrimPrefix(version, "v")) + ` \| (.*) \|$`).FindStringSubmatch(table)
		if line == nil {
			continue
		}
		for cell := range strings.SplitSeq(line[1], " | ") {
			if cell != "" {
				rows[version] = append(rows[version], cell)
			}
		}
	}
	return rows, nil
}

// writeTable writes a row for each version.
func writeTable(versions []string, rows map[string]row) error {
	content, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, after, _, err := cut(string(content))
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("\n| Kubernetes |")
	for _, story := range stories() {
		b.WriteString(" " + story.name + " |")
	}
	b.WriteString("\n|---" + strings.Repeat("|---", len(stories())) + "|\n")
	for _, version := range versions {
		verdicts, known := rows[version]
		if !known {
			verdicts = row{notRun}
		}
		b.WriteString(verdicts.line(version) + "\n")
	}
	b.WriteString("\n")
	return os.WriteFile(page, []byte(before+begin+b.String()+end+after), 0o644)
}

// cut returns what is before and after the table, and the table.
func cut(content string) (before, after, table string, err error) {
	before, rest, found := strings.Cut(content, begin)
	table, after, ends := strings.Cut(rest, end)
	if !found || !ends {
		return "", "", "", errors.New(page + " lacks the marks of the table")
	}
	return before, after, table, nil
}
