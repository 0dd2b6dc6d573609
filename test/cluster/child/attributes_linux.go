package child

import "syscall"

// attributes returns attributes that keep the terminal's Ctrl-C from the child, and
// with which the kernel kills it when this process ends.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
