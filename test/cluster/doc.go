// Package cluster runs a real Kubernetes control plane on one machine, with
// simulated nodes.
//
// etcd, kube-apiserver, kube-controller-manager and kube-scheduler are the real
// programs (see package build), so that decisions about DaemonSets, nodes and pods
// are theirs. kwok simulates the kubelets: its stages in this package write what
// recordings of a real kubelet show, and [Cluster.PullPlug] stops one.
// [BehaviourAnnotation] sets what happens to a pod.
//
//	c, err := cluster.Start(ctx, cluster.Config{})
//	defer c.Stop()
//	err = c.AddNode(ctx, cluster.NodeSpec{Name: "a"})
//	err = c.Apply(ctx, manifest)
//	err = c.WaitDaemonSet(ctx, "default", "agent", 1)
//
// Each cluster has its own ports and its own directory, so any number of them can
// run at once. Each component is a child process that can be killed, paused and
// restarted by name. No child outlives this process, however it ends.
package cluster
