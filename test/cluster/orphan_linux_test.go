package cluster_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/cluster"
)

const victim = "DAEMONSET_EXPORTER_TEST_VICTIM"

// TestVictim is the process that TestOrphans kills.
func TestVictim(t *testing.T) {
	if os.Getenv(victim) == "" {
		t.Skip("started by TestOrphans only")
	}
	c, err := cluster.Start(t.Context(), cluster.Config{})
	check.NoError(t, err)
	check.NoError(t, json.NewEncoder(os.Stdout).Encode(c.PIDs()))
	select {}
}

func TestOrphans(t *testing.T) {
	t.Parallel()
	t.Run("no component outlives a process that is killed", func(t *testing.T) {
		t.Parallel()
		cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$")
		cmd.Env = append(os.Environ(), victim+"=1")
		cmd.Stderr = os.Stderr
		stdout, err := cmd.StdoutPipe()
		check.NoError(t, err)
		check.NoError(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill() })

		var pids map[cluster.Component]int
		output := bufio.NewScanner(stdout)
		for pids == nil && output.Scan() {
			if bytes.HasPrefix(output.Bytes(), []byte("{")) {
				check.NoError(t, json.Unmarshal(output.Bytes(), &pids))
			}
		}
		check.Require(t, len(pids) == 5, "the victim's components: %v", pids)
		check.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()

		deadline := time.After(30 * time.Second)
		poll := time.NewTicker(50 * time.Millisecond)
		defer poll.Stop()
		for component, pid := range pids {
			for lives(pid) {
				select {
				case <-deadline:
					t.Fatalf("%s (%d) outlives the process that started it", component, pid)
				case <-poll.C:
				}
			}
		}
	})
}

// lives reports whether a process runs. A zombie does not.
func lives(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	// "1234 (kube-apiserver) Z 1 ...", and the name may contain any byte.
	_, rest, _ := bytes.Cut(stat[max(0, bytes.LastIndexByte(stat, ')')):], []byte(" "))
	var state byte
	_, err = fmt.Sscanf(string(rest), "%c", &state)
	return err == nil && state != 'Z' && state != 'X'
}
