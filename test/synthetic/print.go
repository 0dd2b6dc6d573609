package synthetic

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Print writes all objects as "kubectl get nodes,daemonsets,pods -A -o json" prints them:
// a list, indented, without managed fields.
func (s Size) Print(out io.Writer) error {
	if _, err := io.WriteString(out, "{\n    \"apiVersion\": \"v1\",\n    \"items\": ["); err != nil {
		return err
	}
	separator := "\n        "
	for _, collection := range collectionsOf(s) {
		makeOne := collection.maker()
		for index := range collection.count {
			if _, ok := collection.identify(index); !ok {
				continue
			}
			made, err := makeOne(index)
			if err != nil {
				return err
			}
			text, err := printed(made, collection.kind)
			if err != nil {
				return fmt.Errorf("%s %d: %w", collection.kind, index, err)
			}
			if _, err := fmt.Fprintf(out, "%s%s", separator, text); err != nil {
				return err
			}
			separator = ",\n        "
		}
	}
	_, err := io.WriteString(out, "\n    ],\n    \"kind\": \"List\",\n    \"metadata\": {\n        \"resourceVersion\": \"\"\n    }\n}\n")
	return err
}

// printed returns an object as an element of kubectl's list.
func printed(made message, kind string) ([]byte, error) {
	var object metav1.Object
	switch kind {
	case "Node":
		node := *made.(*corev1.Node)
		object = &node
	case "DaemonSet":
		ds := *made.(*appsv1.DaemonSet)
		ds.TypeMeta = metav1.TypeMeta{APIVersion: "apps/v1", Kind: kind}
		object = &ds
	default:
		encoded := make([]byte, made.Size())
		written, err := made.MarshalToSizedBuffer(encoded)
		if err == nil && written != len(encoded) {
			err = errors.New("it has another size than it says")
		}
		if err != nil {
			return nil, err
		}
		pod := &corev1.Pod{}
		if err := pod.Unmarshal(encoded); err != nil {
			return nil, err
		}
		pod.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: kind}
		object = pod
	}
	object.SetManagedFields(nil)
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var indented bytes.Buffer
	err = json.Indent(&indented, text, "        ", "    ")
	return indented.Bytes(), err
}
