package synthetic

import (
	"bytes"
	"encoding/binary"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// facts holds what differs between the pods of a DaemonSet with the same trouble. Each
// text always has the same length, so that one pod is encoded and the others are made
// by overwriting it, in a tenth of the time: the measured program shares a machine with
// this server.
type facts struct {
	texts [factTexts]string
	// began is the value of all timestamps.
	began metav1.Time
}

// The texts among the facts. The last ones are the ids of the containers.
const (
	factSuffix = iota
	factUID
	factVersion
	factNode
	factHostIP
	factPodIP
	factContainer
	factTexts = factContainer + 3
)

func factsOf(index, node int) facts {
	f := facts{began: createdAt(index)}
	f.texts = [factTexts]string{
		factSuffix: suffixOf(index), factUID: string(uidOf(seedPod, index)), factVersion: versionOf(seedPod, index),
		factNode: nodeName(node), factHostIP: addressOf(10, node), factPodIP: addressOf(100, index),
	}
	for number := range factTexts - factContainer {
		f.texts[factContainer+number] = digestOf(seedPod, index*10+number)
	}
	return f
}

// marks returns facts that no pod has, to be found in its encoding.
func marks() facts {
	f := factsOf(0, 0)
	for i := range f.texts {
		f.texts[i] = string(bytes.Repeat([]byte{byte('\x01' + i)}, len(f.texts[i])))
	}
	f.began = metav1.Unix(1_515_151_515, 0)
	return f
}

// stencil is an encoded pod with the places of its facts.
type stencil struct {
	encoded []byte
	texts   [factTexts][]int
	began   []int
}

// newStencil returns a stencil of a pod whose facts are the marks.
func newStencil(pod *corev1.Pod) (*stencil, error) {
	encoded, err := pod.Marshal()
	if err != nil {
		return nil, fmt.Errorf("encoding a pod: %w", err)
	}
	s := &stencil{encoded: encoded}
	marked := marks()
	for i, mark := range marked.texts {
		s.texts[i] = places(encoded, []byte(mark))
	}
	s.began = places(encoded, secondsOf(marked.began))
	return s, nil
}

// fill overwrites the facts.
func (s *stencil) fill(f facts) {
	for i, text := range f.texts {
		for _, at := range s.texts[i] {
			copy(s.encoded[at:], text)
		}
	}
	began := secondsOf(f.began)
	for _, at := range s.began {
		copy(s.encoded[at:], began)
	}
}

// Size implements message.
func (s *stencil) Size() int { return len(s.encoded) }

// MarshalToSizedBuffer implements message.
func (s *stencil) MarshalToSizedBuffer(data []byte) (int, error) {
	return copy(data[len(data)-len(s.encoded):], s.encoded), nil
}

// secondsOf returns the encoded seconds of a time. From 1978 until 3058 they take six
// bytes.
func secondsOf(at metav1.Time) []byte {
	return binary.AppendUvarint([]byte{1 << 3}, uint64(at.Unix()))
}

func places(in, what []byte) (found []int) {
	for from := 0; ; {
		at := bytes.Index(in[from:], what)
		if at < 0 {
			return found
		}
		found = append(found, from+at)
		from += at + len(what)
	}
}
