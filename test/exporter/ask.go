package exporter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// Answer is what a command of the exporter's program has printed, and its exit code.
type Answer struct {
	Code           int
	Stdout, Stderr string
	// Process tells how much processor and memory it took.
	Process *os.ProcessState
}

// Ask runs a command of $DAEMONSET_EXPORTER, such as explain, to its end. It reads
// the cluster of the kubeconfig, or stdin, which may be nil.
func Ask(ctx context.Context, kubeconfig string, stdin io.Reader, args ...string) (Answer, error) {
	binary := os.Getenv(EnvBinary)
	if binary == "" {
		return Answer{}, fmt.Errorf("set $%s to the exporter's binary, or use make", EnvBinary)
	}
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(ctx, binary, args...)
	command.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	command.Stdin, command.Stdout, command.Stderr = stdin, &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Answer{}, fmt.Errorf("run %s: %w", args[0], err)
	}
	if ctx.Err() != nil {
		return Answer{}, fmt.Errorf("run %s: %w\n%s", args[0], ctx.Err(), &stderr)
	}
	return Answer{command.ProcessState.ExitCode(), stdout.String(), stderr.String(), command.ProcessState}, nil
}
