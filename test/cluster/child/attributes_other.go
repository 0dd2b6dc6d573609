//go:build unix && !linux

package child

import "syscall"

// attributes keep the terminal's Ctrl-C from the child. Where the kernel cannot
// end children with their parent, whoever started one must see to it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
