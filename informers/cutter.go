package informers

import (
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// Nine tenths of a pod or node are never read: volumes, environments, images, managed
// fields. Decoding them is most of what following a cluster costs, in processor time
// and in garbage. So they are cut out while an object is still protobuf, which takes a
// tenth of that. What cannot be cut is decoded as it is, and fails as it would have.

// cutCodecs is a NegotiatedSerializer that decodes pods and nodes in protobuf without
// the fields that nobody reads. JSON is left alone: servers send it only where they
// cannot encode protobuf.
type cutCodecs struct{ runtime.NegotiatedSerializer }

// SupportedMediaTypes implements runtime.NegotiatedSerializer.
func (c cutCodecs) SupportedMediaTypes() []runtime.SerializerInfo {
	infos := slices.Clone(c.NegotiatedSerializer.SupportedMediaTypes())
	for i := range infos {
		if infos[i].MediaType != runtime.ContentTypeProtobuf {
			continue
		}
		stream := *infos[i].StreamSerializer
		stream.Serializer = &cuttingSerializer{Serializer: stream.Serializer, readOf: eventCuts()}
		infos[i].StreamSerializer = &stream
		infos[i].Serializer = &cuttingSerializer{Serializer: infos[i].Serializer, readOf: listCuts()}
	}
	return infos
}

// The fields of the messages around an object: a watch event holds a RawExtension,
// that holds an Unknown, and that holds a TypeMeta and the object or list
// (k8s.io/apimachinery, v0.37: generated.proto of pkg/apis/meta/v1 and pkg/runtime).
const (
	eventType, eventObject                                     = 1, 2
	extensionRaw                                               = 1
	unknownType, unknownRaw, unknownEncoding, unknownMediaType = 1, 2, 3, 4
	typeAPIVersion, typeKind                                   = 1, 2
	listMeta, listItems                                        = 1, 2
)

// inUnknown returns what is read of an Unknown that holds an object.
func inUnknown(object fieldSet) fieldSet {
	return whole(unknownType, unknownEncoding, unknownMediaType).and(fieldSet{unknownRaw: object})
}

// listCuts returns a function that returns what is read of an encoded list; nil if it
// must stay as it is.
func listCuts() func(data []byte) fieldSet {
	read := map[string]fieldSet{}
	for kind, object := range readFields() {
		read[kind+"List"] = inUnknown(fieldSet{listMeta: nil, listItems: object})
	}
	return func(data []byte) fieldSet { return read[kindIn(data)] }
}

// eventCuts returns the same function for encoded watch events. Bookmarks stay as they
// are: an annotation tells the end of the initial events.
func eventCuts() func(data []byte) fieldSet {
	read := map[string]fieldSet{}
	for kind, object := range readFields() {
		read[kind] = whole(eventType).and(fieldSet{eventObject: {extensionRaw: inUnknown(object)}})
	}
	return func(data []byte) fieldSet {
		if string(valueOf(data, eventType)) == string(watch.Bookmark) {
			return nil
		}
		return read[kindIn(valueOf(valueOf(data, eventObject), extensionRaw))]
	}
}

// kindIn returns the kind of an encoded object of the core group; empty for others.
func kindIn(data []byte) string {
	about := valueOf(data, unknownType)
	if string(valueOf(about, typeAPIVersion)) != corev1.SchemeGroupVersion.String() {
		return ""
	}
	return string(valueOf(about, typeKind))
}

// cuttingSerializer is a Serializer that cuts what it decodes.
type cuttingSerializer struct {
	runtime.Serializer
	readOf  func(data []byte) fieldSet
	buffers sync.Pool
}

// Decode implements runtime.Decoder. What is decoded shares nothing with the data:
// generated.pb.go copies. So the buffer can be used again.
func (s *cuttingSerializer) Decode(data []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	read := s.readOf(data)
	if read == nil {
		return s.Serializer.Decode(data, defaults, into)
	}
	buffer, _ := s.buffers.Get().(*[]byte)
	if buffer == nil {
		buffer = new([]byte)
	}
	defer s.buffers.Put(buffer)
	cut, ok := read.cut((*buffer)[:0], data)
	*buffer = cut
	if !ok {
		cut = data
	}
	return s.Serializer.Decode(cut, defaults, into)
}
