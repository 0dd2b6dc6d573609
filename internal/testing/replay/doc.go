// Package replay delivers objects to a Handler as the informers do: what a test
// makes up, and what was recorded of a real cluster.
package replay
