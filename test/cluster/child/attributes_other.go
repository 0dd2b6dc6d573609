//go:build unix && !linux

package child

import "syscall"

// attributes returns attributes that keep the terminal's Ctrl-C from the child. The
// kernel cannot kill it with its parent: the caller must.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
