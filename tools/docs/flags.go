package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// flagLine matches one flag of the help text when lines are not wrapped:
//
//	--log.level=info  Only log messages … ($DAEMONSET_EXPORTER_LOG_LEVEL)
var flagLine = regexp.MustCompile(`(?m)^ +(?:-h, )?--(\[no-\])?([a-z.-]+)(?:=(.*?))?( \.\.\.)? {2,}(?:\n {20,})?(\S.*?)(?: \(\$([A-Z_]+)\))?$`)

// flagsTable returns the table of flags, read from the help text of the exporter.
func flagsTable(root string) (string, error) {
	help, err := help(root)
	if err != nil {
		return "", err
	}
	found := flagLine.FindAllStringSubmatch(help, -1)
	if want := strings.Count(help, "\n      --") + 1; len(found) != want {
		return "", fmt.Errorf("found %d of %d flags in the help text:\n%s", len(found), want, help)
	}
	var b strings.Builder
	b.WriteString("| flag | default | environment variable | meaning |\n|---|---|---|---|\n")
	for _, f := range found {
		name, value, repeatable, text, variable := "--"+f[2], f[3], f[4] != "", f[5], f[6]
		switch {
		case variable == "": // --help and --version
			value = ""
		case f[1] != "": // a switch
			value = "off"
		case value == strings.ToUpper(value) && strings.ContainsAny(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"): // a placeholder
			name, value = name+"="+value, ""
		default:
			value = strings.Trim(value, `"`)
		}
		if repeatable && !strings.Contains(text, "Repeatable") {
			text += ". Repeatable."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, code(value), code(variable), cell(text))
	}
	return b.String(), nil
}

// help returns the output of --help without wrapped lines.
func help(root string) (string, error) {
	directory, err := os.MkdirTemp("", "docs-")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(directory, "daemonset_exporter")
	out, err := run(root, nil, "go", "build", "-o", binary, ".")
	if err == nil {
		out, err = run(root, []string{"COLUMNS=10000"}, binary, "--help")
	}
	return out, errors.Join(err, os.RemoveAll(directory))
}

// run returns the standard output of a program. Its errors hold standard error.
func run(dir string, env []string, name string, args ...string) (string, error) {
	command := exec.CommandContext(context.Background(), name, args...)
	command.Dir = dir
	command.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}

// code returns text as code in a cell of a table.
func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + cell(text) + "`"
}
