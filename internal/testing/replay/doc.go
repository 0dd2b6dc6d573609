// Package replay delivers objects to a Handler as the informers do: those of a test,
// and those of a recording.
package replay
