//go:build race

package state_test

// runs is how many random runs there are of each seed. The race detector makes
// them ten times slower.
const runs = 250
