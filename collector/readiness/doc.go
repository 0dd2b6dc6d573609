// Package readiness decides how a node is: its status, its place in the life of a
// node, and since when. It is pure: no client, no Prometheus, no clock. Time comes in
// as an argument.
package readiness
