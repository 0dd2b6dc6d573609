package files

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Contents is what files hold beside their objects.
type Contents struct {
	// Time is when the objects were read: what a dump of this program says, else the
	// newest stamp of any object.
	Time time.Time
	// Stated reports whether the files say when they were made.
	Stated bool
	// Counts is how many objects there are, by resource.
	Counts map[string]int
	// Skipped has the files of a folder or an archive that could not be read, with the
	// reason.
	Skipped []string

	// complete has the resources that a dump says to have read all of.
	complete  []string
	documents int
	newest    time.Time
}

func newContents() *Contents { return &Contents{Counts: map[string]int{}} }

// Missing returns the resources without which nothing can be told, and of which there is
// no object.
func (c *Contents) Missing() []string {
	var missing []string
	for _, resource := range []string{"nodes", "pods", "daemonsets"} {
		if c.Counts[resource] == 0 && !slices.Contains(c.complete, resource) {
			missing = append(missing, resource)
		}
	}
	return missing
}

// header reads what stands beside the elements of a list.
func (c *Contents) header(text []byte) error {
	var header struct {
		Time      *time.Time `json:"time"`
		Resources []string   `json:"resources"`
	}
	if len(text) == 0 || text[0] != '{' {
		return nil
	}
	if err := json.Unmarshal(text, &header); err != nil {
		return fmt.Errorf("the list: %w", err)
	}
	c.complete = append(c.complete, header.Resources...)
	if header.Time != nil && header.Time.After(c.Time) {
		c.Time, c.Stated = *header.Time, true
	}
	return nil
}

// see notes the newest stamp of an object.
func (c *Contents) see(object any) {
	switch o := object.(type) {
	case *corev1.Node:
		c.seeMeta(&o.ObjectMeta)
		for i := range o.Status.Conditions {
			c.stamp(o.Status.Conditions[i].LastHeartbeatTime)
			c.stamp(o.Status.Conditions[i].LastTransitionTime)
		}
		for i := range o.Spec.Taints {
			c.optional(o.Spec.Taints[i].TimeAdded)
		}
	case *corev1.Pod:
		c.seeMeta(&o.ObjectMeta)
		c.optional(o.Status.StartTime)
		for i := range o.Status.Conditions {
			c.stamp(o.Status.Conditions[i].LastTransitionTime)
		}
		for _, status := range slices.Concat(o.Status.InitContainerStatuses, o.Status.ContainerStatuses) {
			c.seeState(&status.State)
		}
	case *appsv1.DaemonSet:
		c.seeMeta(&o.ObjectMeta)
	}
	if !c.Stated {
		c.Time = c.newest
	}
}

func (c *Contents) seeState(state *corev1.ContainerState) {
	if state.Running != nil {
		c.stamp(state.Running.StartedAt)
	}
	if state.Terminated != nil {
		c.stamp(state.Terminated.FinishedAt)
	}
}

// seeMeta leaves the deletion timestamp out: it is the end of the grace period.
func (c *Contents) seeMeta(meta *metav1.ObjectMeta) {
	c.stamp(meta.CreationTimestamp)
	for i := range meta.ManagedFields {
		c.optional(meta.ManagedFields[i].Time)
	}
}

func (c *Contents) stamp(at metav1.Time) {
	if at.After(c.newest) {
		c.newest = at.Time
	}
}

func (c *Contents) optional(at *metav1.Time) {
	if at != nil {
		c.stamp(*at)
	}
}
