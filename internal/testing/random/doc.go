// Package random makes up DaemonSets, Nodes and what happens to a cluster, for
// tests of what must hold of all of them. All of it is made by Dice, so that a
// seed, or a fuzzer's bytes, give the same again.
package random
