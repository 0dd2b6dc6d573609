package build

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/test/cluster/child"
)

// reportEvery is the interval of progress messages. Without them a cold build is
// silent for minutes, looks like a hang, and gets interrupted.
const reportEvery = 10 * time.Second

// compile compiles the set into dir and reports progress.
func (s Set) compile(ctx context.Context, dir string, progress io.Writer) error {
	ldflags, err := s.version(ctx, s.dir)
	if err != nil {
		return fmt.Errorf("version: %w", err)
	}
	args := []string{
		"build", "-v", "-mod=readonly", "-buildvcs=false",
		"-ldflags", strings.TrimSpace("-s -w " + ldflags),
		"-o", dir + "/",
	}
	cmd := exec.CommandContext(ctx, "go", append(args, s.packages...)...)
	cmd.Dir = s.dir
	cmd.Env = goEnv()
	// The compilers are children of the go command, so the whole group is killed.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return fmt.Errorf("attach to the go command: %w", err)
	}
	fmt.Fprintf(progress, "building %s (%s) ...\n", s.Name, s.expect)
	launcher := child.NewLauncher()
	defer launcher.Close()
	if err := launcher.Start(cmd); err != nil {
		return fmt.Errorf("start the go command: %w", err)
	}
	messages := s.report(stderr, progress)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w\n%s", err, strings.Join(messages, "\n"))
	}
	return nil
}

// report reads the go command's -v output, one line per compiled package, until it
// ends. It returns the last lines that are not package names: the errors of a failed
// compilation.
func (s Set) report(stderr io.Reader, progress io.Writer) []string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(stderr); scan.Scan(); {
			lines <- scan.Text()
		}
	}()

	ticker := time.NewTicker(reportEvery)
	defer ticker.Stop()
	start := time.Now()
	compiled, current := 0, "reading the build cache"
	var messages []string
	for {
		select {
		case line, ok := <-lines:
			switch {
			case !ok:
				return messages
			case strings.HasPrefix(line, "go: downloading"):
				current = strings.TrimPrefix(line, "go: ")
			case strings.ContainsAny(line, " \t#"):
				messages = append(messages, line)
				messages = messages[max(0, len(messages)-40):]
			default:
				compiled++
				current = line
			}
		case <-ticker.C:
			fmt.Fprintf(progress, "building %s: %s elapsed, %d packages compiled, now %s\n",
				s.Name, time.Since(start).Round(time.Second), compiled, current)
		}
	}
}
