package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"text/template"
)

// platform is an archive that krew installs the plugin from.
type platform struct{ OS, Arch, File, SHA256, Binary string }

var archiveName = regexp.MustCompile(`^daemonset_exporter-.+\.([a-z]+)-([a-z0-9]+)\.(?:tar\.gz|zip)$`)

// writeManifest writes the manifest of the plugin, with the archives in a folder. krew
// links the program by the name of the plugin, by which it knows what it is.
func writeManifest(out io.Writer, version, folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var platforms []platform
	for _, entry := range entries {
		parts := archiveName.FindStringSubmatch(entry.Name())
		if parts == nil {
			continue
		}
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return err
		}
		p := platform{OS: parts[1], Arch: parts[2], File: entry.Name(), SHA256: fmt.Sprintf("%x", sha256.Sum256(content)), Binary: "daemonset_exporter"}
		if p.OS == "windows" {
			p.Binary += ".exe"
		}
		platforms = append(platforms, p)
	}
	if len(platforms) == 0 {
		return errors.New("there is no archive in " + folder)
	}
	var text bytes.Buffer
	if err := manifest.Execute(&text, map[string]any{"Version": version, "Platforms": platforms}); err != nil {
		return err
	}
	_, err = text.WriteTo(out)
	return err
}

var manifest = template.Must(template.New("").Parse(`apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: daemonset-coverage
spec:
  version: {{.Version}}
  homepage: https://github.com/daemonset-exporter/daemonset_exporter
  shortDescription: Why a node lacks a working DaemonSet pod
  description: |
    Explains why a DaemonSet has no working pod on a node and what would change it, waits
    for rollouts without being held up by dead nodes, reports all gaps, and predicts which
    nodes a change of labels, taints or manifests wins and loses. It only reads, with your
    own rights. Files of kubectl, support bundles and recordings can be asked too.
  caveats: |
    It needs get, list and watch on nodes, pods and DaemonSets.
  platforms:
{{- range .Platforms}}
  - selector:
      matchLabels:
        os: {{.OS}}
        arch: {{.Arch}}
    uri: https://github.com/daemonset-exporter/daemonset_exporter/releases/download/{{$.Version}}/{{.File}}
    sha256: {{.SHA256}}
    files:
    - from: "*/{{.Binary}}"
      to: .
    - from: "*/LICENSE"
      to: .
    bin: {{.Binary}}
{{- end}}
`))
