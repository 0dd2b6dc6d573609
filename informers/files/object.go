package files

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Scheduler is OpenShift's configuration of the scheduler, which has the node selector of
// namespaces that have none of their own.
type Scheduler struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		DefaultNodeSelector string `json:"defaultNodeSelector"`
	} `json:"spec"`
}

// decoder makes empty objects of one kind.
type decoder struct {
	kind, group string
	resource    string
	new         func() (object any, meta *metav1.TypeMeta)
}

// decoders has the kinds that are read.
var decoders = []*decoder{
	{"Pod", "", "pods", func() (any, *metav1.TypeMeta) { o := &corev1.Pod{}; return o, &o.TypeMeta }},
	{"Node", "", "nodes", func() (any, *metav1.TypeMeta) { o := &corev1.Node{}; return o, &o.TypeMeta }},
	{"DaemonSet", appsv1.GroupName, "daemonsets", func() (any, *metav1.TypeMeta) { o := &appsv1.DaemonSet{}; return o, &o.TypeMeta }},
	{"ControllerRevision", appsv1.GroupName, "controllerrevisions", func() (any, *metav1.TypeMeta) { o := &appsv1.ControllerRevision{}; return o, &o.TypeMeta }},
	{"Namespace", "", "namespaces", func() (any, *metav1.TypeMeta) { o := &corev1.Namespace{}; return o, &o.TypeMeta }},
	{"Scheduler", "config.openshift.io", "schedulers", func() (any, *metav1.TypeMeta) { o := &Scheduler{}; return o, &o.TypeMeta }},
}

// decoderOf returns the decoder of a kind; nil for one that is not read. Where an object
// does not say its group it is taken for ours.
func decoderOf(apiVersion, kind string) *decoder {
	group, _, grouped := strings.Cut(apiVersion, "/")
	if !grouped {
		group = ""
	}
	for _, d := range decoders {
		if d.kind == kind && (d.group == group || apiVersion == "") {
			return d
		}
	}
	return nil
}

// object hands over one object, of this kind unless it says another.
func (r *reader) object(text []byte, kind string) error {
	if d := r.guess; d != nil {
		if object, meta, err := d.decode(text); err == nil && decoderOf(meta.APIVersion, orElse(meta.Kind, kind)) == d {
			return r.hand(d, object)
		}
	}
	var meta metav1.TypeMeta
	if err := json.Unmarshal(text, &meta); err != nil {
		return fmt.Errorf("%w in %.60q", err, text)
	}
	d := decoderOf(meta.APIVersion, orElse(meta.Kind, kind))
	if d == nil {
		return nil // something else
	}
	object, _, err := d.decode(text)
	if err != nil {
		return fmt.Errorf("%s: %w", d.kind, err)
	}
	r.guess = d
	return r.hand(d, object)
}

func orElse(kind, other string) string {
	if kind == "" {
		return other
	}
	return kind
}

func (d *decoder) decode(text []byte) (object any, meta *metav1.TypeMeta, err error) {
	object, meta = d.new()
	return object, meta, json.Unmarshal(text, object)
}

func (r *reader) hand(d *decoder, object any) error {
	r.contents.Counts[d.resource]++
	r.contents.see(object)
	return r.take(object)
}

// listKind is the kind of a list's elements, for those that do not say it.
type listKind struct {
	kind  string
	known bool
}

// listOf returns what the name of a file says about the objects in it: pods.json,
// daemonsets/kube-system.json.
func listOf(name string) listKind {
	name = path.Clean(strings.ReplaceAll(name, `\`, "/"))
	for _, part := range []string{strings.TrimSuffix(path.Base(name), path.Ext(name)), path.Base(path.Dir(name))} {
		for _, d := range decoders {
			if d.resource == part {
				return listKind{kind: d.kind}
			}
		}
	}
	return listKind{}
}

var listKindField = regexp.MustCompile(`"kind"\s*:\s*"([A-Za-z]+)List"`)

// read reads the kind from what stands before the elements.
func (l *listKind) read(before []byte) {
	if found := listKindField.FindSubmatch(before); found != nil {
		l.kind = string(found[1])
	}
	l.known = true
}
