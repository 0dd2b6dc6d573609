// Package cluster runs a real Kubernetes control plane on one machine, with
// nodes that exist on paper.
//
// etcd, kube-apiserver, kube-controller-manager and kube-scheduler are the real
// programs (see package build), so that what they decide about DaemonSets,
// nodes and pods is not our opinion of it. kubelets are played by kwok: the
// stages in this package make it write what recordings of a real kubelet show,
// and [Cluster.PullPlug] makes it fall silent. A pod chooses with [BehaviourAnnotation]
// how it fares.
//
//	c, err := cluster.Start(ctx, cluster.Config{})
//	defer c.Stop()
//	err = c.AddNode(ctx, cluster.NodeSpec{Name: "a"})
//	err = c.Apply(ctx, manifest)
//	err = c.WaitDaemonSet(ctx, "default", "agent", 1)
//
// Each cluster has its own ports and its own directory, so any number of them
// run side by side, and each component is a child that can be killed, paused
// and started again by name. No child outlives this process, however it ends.
package cluster
