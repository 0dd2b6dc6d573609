// Package coverage knows, for every DaemonSet and every node, whether a working
// pod should be there and is, and if not why and since when.
//
// The informers' events come in through the Ledger's SetNode, SetPod,
// SetDaemonSet and their opposites, in any order between objects. Each touches
// the cells, that is (DaemonSet, Node) pairs, that depend on it: Placement
// decides whether a cell is expected, judge why it is not covered. Both are
// pure functions of the objects and the time. The Ledger remembers the verdicts,
// and keeps their sums, so that a scrape reads counts and open gaps only.
//
// Nothing here locks, and nothing reads a clock: the caller does both.
package coverage
