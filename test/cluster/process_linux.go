package cluster

import "syscall"

// childAttributes keep the terminal's Ctrl-C from the component, so that we
// decide the order of the end, and let the kernel end it if we are killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
