// Package synthetic is a Kubernetes API server that stores no objects: each is made
// when it is encoded and dropped afterwards, so that a cluster of a hundred thousand
// nodes takes no more memory than one of ten. It serves to measure its clients.
//
// It implements what a client-go reflector needs of kube-apiserver v1.37: lists, with
// or without pages, and watches, also streamed lists, in protobuf, with label and field
// selectors. After the initial objects a watch has bookmarks, and what Server.Change
// sends: heartbeats of nodes, and pods that turn not ready and ready again.
//
// Size is the size of the cluster; fleet, node, pod, daemonset and workload make the
// objects; collection describes one resource; list, watch and change encode it. cmd/apiserver
// serves it from a process of its own, cmd/measure measures the exporter against it,
// next to cmd/floor, the least that a client-go reflector can do with the same
// responses.
package synthetic
