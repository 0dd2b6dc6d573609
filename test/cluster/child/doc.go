// Package child starts programs that do not outlive this one.
//
// A test can end in many ways that run no deferred function: a panic, a timeout
// of the go command, Ctrl-C, SIGKILL. On Linux the kernel is asked to end each
// child with its parent.
package child
