package exporter

import "syscall"

// dieWithParent ends the exporter with whoever started it.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
