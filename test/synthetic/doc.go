// Package synthetic is a Kubernetes API server whose objects do not exist: each
// is made while it is encoded and forgotten afterwards, so that a cluster of a
// hundred thousand nodes takes no more memory than one of ten. It is there to
// measure what reads from it.
//
// It speaks what a client-go reflector needs, as kube-apiserver v1.37 does:
// lists, in pieces or whole, and watches, also streamed lists, in protobuf, with
// label and field selectors. Nothing ever changes: after the initial objects a
// watch carries bookmarks only.
//
// Size says how large the cluster is; fleet, node, pod, daemonset and workload
// make the objects; collection is what Server knows of one resource; list and
// watch encode it. cmd/apiserver serves it from a process of its own,
// cmd/measure measures the exporter against it, next to cmd/floor, the least
// that a client-go reflector can do with the same answers.
package synthetic
