package deploy

import (
	"context"
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// binary returns the path of the exporter.
func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv(exporter.EnvBinary)
	if path == "" {
		t.Skipf("set $%s to the exporter's binary, or use make", exporter.EnvBinary)
	}
	return path
}

func TestBinary(t *testing.T) {
	t.Parallel()
	t.Run("is static and contains no paths", func(t *testing.T) {
		t.Parallel()
		file, err := elf.Open(binary(t))
		if err != nil {
			t.Skipf("not a Linux binary: %v", err)
		}
		defer file.Close()
		for _, program := range file.Progs {
			check.That(t, program.Type != elf.PT_INTERP, "it needs a dynamic linker")
		}
		if libraries, _ := file.ImportedLibraries(); len(libraries) > 0 {
			t.Errorf("it needs %v", libraries)
		}
		info := check.Must(buildinfo.ReadFile(binary(t)))(t)
		settings := map[string]string{}
		for _, setting := range info.Settings {
			settings[setting.Key] = setting.Value
		}
		check.That(t, settings["-trimpath"] == "true" && settings["CGO_ENABLED"] == "0", "not reproducible: %v", settings)
	})
	// This is the image without a container engine: a root file system with the binary
	// and nothing else, and nothing writable.
	t.Run("runs without privileges on a read-only root", func(t *testing.T) {
		t.Parallel()
		dir := readOnlyRoot(t)
		address := freeAddress(t)
		command := exec.CommandContext(t.Context(), "unshare", "--mount", "--propagation", "private", "sh", "-c", `
			mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" &&
			exec env -i "$(command -v chroot)" --userspec=65532:65532 --groups= . /daemonset_exporter "$@"`,
			dir, "--kubeconfig=/kubeconfig", "--web.listen-address="+address)
		command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		var log async.Buffer
		command.Stderr = &log
		if err := command.Start(); err != nil {
			t.Skipf("cannot change the root: %v", err)
		}
		ended := make(chan error, 1)
		go func() { ended <- command.Wait() }()
		t.Cleanup(func() { _ = command.Process.Kill() })

		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := answers(ctx, "http://"+address+"/-/healthy", ended); err != nil {
			if strings.Contains(log.String(), "Operation not permitted") || strings.Contains(log.String(), "permission denied") && os.Getuid() != 0 {
				t.Skipf("cannot change the root: %s", log.String())
			}
			t.Fatalf("%v\n%s", err, log.String())
		}
		status := check.Must(os.ReadFile(fmt.Sprintf("/proc/%d/status", command.Process.Pid)))(t)
		for _, want := range []string{"\nUid:\t65532\t65532\t65532\t65532\n", "\nGid:\t65532\t65532\t65532\t65532\n", "\nCapEff:\t0000000000000000\n"} {
			check.That(t, strings.Contains(string(status), want), "%q is missing in\n%s", want, status)
		}
		check.NoError(t, command.Process.Signal(syscall.SIGTERM))
		if err := <-ended; err != nil {
			t.Errorf("%v\n%s", err, log.String())
		}
	})
}

// readOnlyRoot returns a directory with the binary and a kubeconfig.
func readOnlyRoot(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	content := check.Must(os.ReadFile(binary(t)))(t)
	for name, file := range map[string]struct {
		content []byte
		mode    os.FileMode
	}{"daemonset_exporter": {content, 0o555}, "kubeconfig": {[]byte(nowhere), 0o444}} {
		check.NoError(t, os.WriteFile(filepath.Join(dir, name), file.content, file.mode))
	}
	check.NoError(t, os.Chmod(dir, 0o555))
	t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
	return dir
}

// nowhere is the kubeconfig of an API server that does not exist.
const nowhere = `{apiVersion: v1, kind: Config, current-context: c,
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}],
contexts: [{name: c, context: {cluster: c, user: u}}],
users: [{name: u, user: {token: none}}]}`

func freeAddress(t *testing.T) string {
	t.Helper()
	listener := check.Must((&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"))(t)
	defer listener.Close()
	return listener.Addr().String()
}

// answers waits until a URL responds with 200.
func answers(ctx context.Context, url string, ended <-chan error) error {
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("HTTP %d", response.StatusCode)
		}
		select {
		case <-poll.C:
		case failure := <-ended:
			return fmt.Errorf("the exporter ended: %w", failure)
		case <-ctx.Done():
			return err
		}
	}
}
