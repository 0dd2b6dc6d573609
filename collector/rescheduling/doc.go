// Package rescheduling measures how DaemonSet pods come back and how they go.
//
// A Rescheduling lasts from the moment a pod is needed on a Ready node to the
// moment one is available there. Step takes it from one Change of its cell to the
// next: trigger.go says whether one begins and why, stages.go follows it. A
// Termination lasts from the request to delete a pod to its removal; outcome.go
// says how it ended.
//
// The package is pure: Changes, pods and times come in as plain values, and
// package state remembers what is still open.
package rescheduling
