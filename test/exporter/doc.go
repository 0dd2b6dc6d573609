// Package exporter runs the real exporter binary and reads its metrics over
// HTTP, for tests, demo and scenarios.
package exporter
