package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// dependenciesTable returns a table of the modules that are compiled into the exporter, for
// any platform that it is released for, with their licences.
func dependenciesTable(root string) (string, error) {
	modules := map[string]string{} // path to "version\tdirectory"
	for _, platform := range []string{"linux", "darwin"} {
		env := []string{"GOOS=" + platform, "GOARCH=amd64", "CGO_ENABLED=0"}
		out, err := run(root, env, "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}", ".")
		if err != nil {
			return "", err
		}
		for line := range strings.Lines(out) {
			if path, rest, found := strings.Cut(strings.TrimSpace(line), "\t"); found {
				modules[path] = rest
			}
		}
	}
	paths := make([]string, 0, len(modules))
	for path := range modules {
		paths = append(paths, path)
	}
	slices.Sort(paths)

	var b strings.Builder
	b.WriteString("| module | version | licence |\n|---|---|---|\n")
	for _, path := range paths {
		version, dir, _ := strings.Cut(modules[path], "\t")
		licence, err := licenceIn(dir)
		if err != nil {
			return "", fmt.Errorf("licence of %s: %w", path, err)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", path, version, licence)
	}
	return b.String(), nil
}

// licences returns a unique sentence of each licence, the more specific first.
func licences() [][2]string {
	return [][2]string{
		{"Apache License Version 2.0", "Apache-2.0"},
		{"Permission is hereby granted, free of charge", "MIT"},
		{"Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee", "ISC"},
		{"Permission to use, copy, modify, and distribute this software for any purpose with or without fee", "ISC"},
		{"Mozilla Public License Version 2.0", "MPL-2.0"},
		{"may be used to endorse or promote products derived", "BSD-3-Clause"},
		{"Redistribution and use in source and binary forms", "BSD-2-Clause"},
	}
}

// licenceIn returns the licences of a module by the files in its top directory.
func licenceIn(dir string) (string, error) {
	var names []string
	for _, pattern := range []string{"LICENSE*", "LICENCE*", "COPYING*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return "", err
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			text := strings.Join(strings.Fields(string(content)), " ")
			for _, licence := range licences() {
				if strings.Contains(text, licence[0]) && !slices.Contains(names, licence[1]) {
					names = append(names, licence[1])
					break
				}
			}
		}
	}
	if len(names) == 0 {
		return "", fmt.Errorf("none found in %s", dir)
	}
	return strings.Join(names, " and "), nil
}
