// Package churn runs the real binary beside a cluster in which everything is replaced, and
// compares what it holds before and after.
package churn
