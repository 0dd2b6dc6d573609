// Package child starts programs that do not outlive this process.
//
// A panic, a timeout of the go command, Ctrl-C and SIGKILL end a test without its
// deferred functions. On Linux the kernel kills each child with its parent.
package child
