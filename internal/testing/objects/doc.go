// Package objects builds Nodes, DaemonSets and Pods for tests, in the API's
// words. Each builder returns a healthy object; options change it:
//
//	objects.Node("a", objects.Tainted("gpu", "NoSchedule"), objects.NotReady(60))
//	objects.DaemonSet("agent", objects.MinReadySeconds(10))
//	objects.PodOf("agent", "a", objects.Terminating(60, 30))
//
// All times are seconds after Noon, at which tests begin.
package objects
