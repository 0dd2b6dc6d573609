package child

import "syscall"

// attributes keep the terminal's Ctrl-C from the child, so that its end is ours
// to bring about, and let the kernel end it if we are killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
