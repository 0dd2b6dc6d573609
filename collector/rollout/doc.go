// Package rollout follows the rules of the DaemonSet controller: which revision
// is current, what one node adds to the counts of .status, and what a rolling
// update may make unavailable. It is pure: every answer is a function of its
// arguments.
package rollout
