//go:build !linux

package exporter

import "syscall"

func dieWithParent() *syscall.SysProcAttr { return nil }
