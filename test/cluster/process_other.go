//go:build unix && !linux

package cluster

import "syscall"

// childAttributes keep the terminal's Ctrl-C from the component. Where the
// kernel cannot end children with their parent, a SIGKILL of this process
// leaves them running; every other end of it does not.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
