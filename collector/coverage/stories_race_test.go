//go:build race

package coverage_test

// stories is how many are told for each seed. The race detector makes them ten
// times slower.
const stories = 250
