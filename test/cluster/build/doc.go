// Package build compiles the control plane, kwok and the tools of the scenarios, and
// keeps the binaries outside of the tree.
//
// Each set of binaries has a Go module of its own (see [Set]). A set is compiled
// into <user cache>/daemonset_exporter/bin/<key>/, where the key is a digest of all
// input: go.mod, go.sum, the mains and the Go version. So a version is changed in
// go.mod and nowhere else, checkouts share binaries, and a warm start costs a few
// file reads.
//
// The servers of older versions of Kubernetes have modules too, which are not in the tree
// but written from the requirements of Kubernetes itself (see [Versions]).
//
// Sets are compiled into a temporary directory that is renamed when it is complete,
// under one file lock: an incomplete set is never used, and two compilations of this
// size never run at once on one machine.
package build
