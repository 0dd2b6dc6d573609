//go:build !race

package coverage_test

// stories is how many are told for each seed.
const stories = 1500
