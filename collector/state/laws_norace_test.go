//go:build !race

package state_test

// runs is how many random runs there are of each seed.
const runs = 1500
