// Package build compiles the control plane and kwok and keeps the binaries
// outside of the tree.
//
// Each set of binaries has a Go module of its own (see [Set]). A set is compiled
// into <user cache>/daemonset_exporter/bin/<key>/, where the key is a digest of
// everything that decides the outcome: go.mod, go.sum, the mains and the Go
// version. So a version is changed in go.mod and nowhere else, two checkouts
// share what they have in common, and a warm start costs a few file reads.
//
// Compilation goes to a temporary directory that is renamed when it is whole,
// under a file lock that every set shares: a half-built set is never seen, and
// two compilations of this size never run at once on one machine.
package build
