// Package coverage decides whether a node should hold a working pod of a DaemonSet,
// and why it does not.
//
// A cell is one (DaemonSet, node) pair. Placement says whether the DaemonSet
// controller would run a pod there, and whether the cell is expected, which is the
// same with the taints of a failed node left out; GapReason says why an expected
// cell is not covered. Both are pure functions of the objects and the time. Package
// state remembers their outcome.
package coverage
