// Command image makes the container image without a container engine, and pushes it:
//
//	image build -version v1.2.3 -revision abc -created 1700000000 -license LICENSE \
//	    -output image.oci.tar linux/amd64=BINARY linux/arm64=BINARY
//	image push image.oci.tar REGISTRY/REPOSITORY:TAG
//
// The image holds the binary, the licence and the certificate authorities that public
// API servers are signed by: those of Mozilla, of the version in go.mod. The same
// arguments and versions make the same bytes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) > 0 && args[0] == "build":
		return runBuild(args[1:])
	case len(args) == 3 && args[0] == "push":
		digest, err := push(ctx, args[1], args[2])
		if err == nil {
			fmt.Println(digest)
		}
		return err
	default:
		return errors.New("usage: image build FLAGS PLATFORM=BINARY…, or image push FILE REFERENCE")
	}
}

func runBuild(args []string) error {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	var c contents
	var created int64
	var license, output string
	flags.StringVar(&c.version, "version", "unknown", "Version of the exporter.")
	flags.StringVar(&c.revision, "revision", "unknown", "Commit of the sources.")
	flags.Int64Var(&created, "created", 0, "Unix time of everything in the image.")
	flags.StringVar(&license, "license", "LICENSE", "File with the licence.")
	flags.StringVar(&output, "output", "image.oci.tar", "File to write: an OCI image layout as a tar archive.")
	if err := flags.Parse(args); err != nil {
		return err
	}
	c.created = time.Unix(created, 0).UTC()
	var err error
	if c.license, err = os.ReadFile(license); err != nil {
		return err
	}
	for _, arg := range flags.Args() {
		name, path, found := strings.Cut(arg, "=")
		if !found {
			return fmt.Errorf("%q is not PLATFORM=BINARY", arg)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		c.binaries = append(c.binaries, binary{platform: name, content: content})
	}
	digest, err := build(c, output)
	if err == nil {
		fmt.Println(digest)
	}
	return err
}
