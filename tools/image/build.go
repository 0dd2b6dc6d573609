package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// contents is what the image is made of.
type contents struct {
	version, revision string
	created           time.Time
	license           []byte
	binaries          []binary
}

// binary is the exporter for a platform, such as linux/amd64.
type binary struct {
	platform string
	content  []byte
}

// build writes the image for all platforms and returns its digest.
func build(c contents, output string) (v1.Hash, error) {
	if len(c.binaries) == 0 {
		return v1.Hash{}, errors.New("no binary is named")
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, binary := range c.binaries {
		platform, err := v1.ParsePlatform(binary.platform)
		if err != nil {
			return v1.Hash{}, fmt.Errorf("platform %q: %w", binary.platform, err)
		}
		image, err := c.image(binary, platform)
		if err != nil {
			return v1.Hash{}, fmt.Errorf("image for %s: %w", platform, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: platform}})
	}
	index, ok := mutate.Annotations(index, c.labels()).(v1.ImageIndex)
	if !ok {
		return v1.Hash{}, errors.New("an annotated index is no index")
	}
	if err := writeArchive(index, c.created, output); err != nil {
		return v1.Hash{}, err
	}
	return index.Digest()
}

// image returns the image for one platform. What seldom changes is the first layer.
func (c contents) image(binary binary, platform *v1.Platform) (v1.Image, error) {
	common, err := c.layer(
		file{name: "LICENSE", mode: 0o444, content: c.license},
		file{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o444, content: authorities()},
	)
	if err != nil {
		return nil, err
	}
	program, err := c.layer(file{name: "daemonset_exporter", mode: 0o555, content: binary.content})
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if image, err = mutate.AppendLayers(image, common, program); err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Variant = platform.OS, platform.Architecture, platform.Variant
	config.Created = v1.Time{Time: c.created}
	for i := range config.History {
		config.History[i] = v1.History{Created: config.Created, CreatedBy: "tools/image"}
	}
	// The same as the Dockerfile says; a test compares them.
	config.Config = v1.Config{
		User:         "65532:65532", // by number, so that Kubernetes can tell that it is not root
		ExposedPorts: map[string]struct{}{"10479/tcp": {}},
		Entrypoint:   []string{"/daemonset_exporter"},
		Labels:       c.labels(),
	}
	return mutate.ConfigFile(image, config)
}

func (c contents) labels() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":       "daemonset_exporter",
		"org.opencontainers.image.description": "Tells Prometheus which node lacks a working pod of which DaemonSet, since when, and why",
		"org.opencontainers.image.source":      "https://github.com/daemonset-exporter/daemonset_exporter",
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.version":     c.version,
		"org.opencontainers.image.revision":    c.revision,
	}
}

// file is a file of a layer.
type file struct {
	name    string
	mode    int64
	content []byte
}

// layer returns a layer with files of root. Directories have the modes that container
// runtimes give them.
func (c contents) layer(files ...file) (v1.Layer, error) {
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	for _, file := range files {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: file.name, Mode: file.mode, Size: int64(len(file.content)),
			ModTime: c.created, Format: tar.FormatPAX,
		}
		if err := writer.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := writer.Write(file.content); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
}

// authorities returns the certificates of the authorities that have no constraint: a
// file of certificates cannot tell a constraint.
func authorities() []byte {
	var text bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // to memory
		}
	}
	return text.Bytes()
}
