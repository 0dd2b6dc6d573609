package deploy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
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
			if program.Type == elf.PT_INTERP {
				t.Error("it needs a dynamic linker")
			}
		}
		if libraries, _ := file.ImportedLibraries(); len(libraries) > 0 {
			t.Errorf("it needs %v", libraries)
		}
		info := check.Must(buildinfo.ReadFile(binary(t)))(t)
		settings := map[string]string{}
		for _, setting := range info.Settings {
			settings[setting.Key] = setting.Value
		}
		if settings["-trimpath"] != "true" || settings["CGO_ENABLED"] != "0" {
			t.Errorf("not reproducible: %v", settings)
		}
	})
}

// runInRoot runs the exporter of a root file system with these files and nothing else,
// read-only, as a user and group without privileges.
func runInRoot(t *testing.T, files map[string][]byte, user, group int) {
	t.Helper()
	address := freeAddress(t)
	ids := fmt.Sprintf("--userspec=%d:%d", user, group)
	command := exec.CommandContext(t.Context(), "unshare", "--mount", "--propagation", "private", "sh", "-c", `
		mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" &&
		exec env -i "$(command -v chroot)" `+ids+` --groups= . /daemonset_exporter "$@"`,
		readOnlyRoot(t, files), "--kubeconfig=/kubeconfig", "--web.listen-address="+address)
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
	for _, want := range []string{
		fmt.Sprintf("\nUid:\t%d\t%[1]d\t%[1]d\t%[1]d\n", user), fmt.Sprintf("\nGid:\t%d\t%[1]d\t%[1]d\t%[1]d\n", group), "\nCapEff:\t0000000000000000\n",
	} {
		if !strings.Contains(string(status), want) {
			t.Errorf("%q is missing in\n%s", want, status)
		}
	}
	check.NoError(t, command.Process.Signal(syscall.SIGTERM))
	if err := <-ended; err != nil {
		t.Errorf("%v\n%s", err, log.String())
	}
}

// readOnlyRoot returns a directory with the files and a kubeconfig.
func readOnlyRoot(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	files = maps.Clone(files)
	files["kubeconfig"] = []byte(nowhere)
	for name, content := range files {
		path := filepath.Join(dir, name)
		check.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		if err := os.WriteFile(path, content, 0o555); err != nil {
			t.Fatal(err)
		}
	}
	check.NoError(t, os.Chmod(dir, 0o555))
	t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
	return dir
}

// image is the part of an OCI image layout for one platform.
type image struct {
	config struct {
		Created, Architecture, OS string
		Config                    struct {
			User         string
			Entrypoint   []string
			ExposedPorts map[string]any
			Labels       map[string]string
		}
	}
	// platforms holds the platforms of the whole image.
	platforms []string
	files     map[string][]byte
}

// readImage reads the part of an image layout for the platform of the test, and
// compares every digest.
func readImage(t *testing.T, archive []byte) image {
	t.Helper()
	layout := untar(t, bytes.NewReader(archive))
	blob := func(digest string) []byte {
		content := layout["blobs/sha256/"+strings.TrimPrefix(digest, "sha256:")]
		if got := fmt.Sprintf("sha256:%x", sha256.Sum256(content)); got != digest {
			t.Fatalf("the blob %s has the digest %s", digest, got)
		}
		return content
	}
	type descriptor struct {
		Digest   string
		Platform struct{ OS, Architecture string }
	}
	var outer, inner struct{ Manifests []descriptor }
	decode(t, layout["index.json"], &outer)
	if len(outer.Manifests) != 1 {
		t.Fatalf("the layout holds %d images", len(outer.Manifests))
	}
	decode(t, blob(outer.Manifests[0].Digest), &inner)
	found := image{files: map[string][]byte{}}
	for _, platform := range inner.Manifests {
		found.platforms = append(found.platforms, platform.Platform.OS+"/"+platform.Platform.Architecture)
		if platform.Platform.Architecture != runtime.GOARCH {
			continue
		}
		var manifest struct {
			Config descriptor
			Layers []descriptor
		}
		decode(t, blob(platform.Digest), &manifest)
		decode(t, blob(manifest.Config.Digest), &found.config)
		for _, layer := range manifest.Layers {
			maps.Copy(found.files, unpack(t, blob(layer.Digest)))
		}
	}
	return found
}

func decode(t *testing.T, content []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(content, into); err != nil {
		t.Fatalf("%v in %s", err, content)
	}
}

// checkImage checks what is in the image of a release, and runs it.
func checkImage(t *testing.T, archive []byte) {
	t.Helper()
	image := readImage(t, archive)
	if names := slices.Sorted(maps.Keys(image.files)); !slices.Equal(names, []string{"LICENSE", "daemonset_exporter", "etc/ssl/certs/ca-certificates.crt"}) {
		t.Errorf("the image holds %v", names)
	}
	if count := strings.Count(string(image.files["etc/ssl/certs/ca-certificates.crt"]), "BEGIN CERTIFICATE"); count < 50 ||
		!x509.NewCertPool().AppendCertsFromPEM(image.files["etc/ssl/certs/ca-certificates.crt"]) {
		t.Errorf("%d certificates of authorities", count)
	}
	checkVersion(t, image.files["daemonset_exporter"])

	config := image.config.Config
	dockerfile := string(read(t, root+"/Dockerfile"))
	for _, line := range []string{
		"USER " + config.User, "EXPOSE " + strings.TrimSuffix(strings.Join(slices.Collect(maps.Keys(config.ExposedPorts)), " "), "/tcp"),
		fmt.Sprintf("ENTRYPOINT [%q]", strings.Join(config.Entrypoint, " ")),
		fmt.Sprintf("%q", config.Labels["org.opencontainers.image.description"]),
	} {
		if !strings.Contains(dockerfile, line) {
			t.Errorf("the Dockerfile lacks %s", line)
		}
	}
	for label := range config.Labels {
		if !strings.Contains(dockerfile, label+"=") {
			t.Errorf("the Dockerfile lacks the label %s", label)
		}
	}
	if got := config.Labels["org.opencontainers.image.version"]; got != version {
		t.Errorf("the label for the version is %q", got)
	}
	if runtime.GOOS == "linux" {
		runInRoot(t, image.files, 65532, 65532)
		runInRoot(t, image.files, assigned, 0) // OpenShift's
	}
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
