package informers

import (
	"bytes"
	"encoding/binary"
)

// objectPrefix stands before each object that Kubernetes encodes in protobuf
// (k8s.io/apimachinery/pkg/runtime/serializer/protobuf, v0.37). No message of
// Kubernetes begins with it: it would be the start of a group.
const objectPrefix = "k8s\x00"

// cut appends to out what is read of a message. ok is false if that is no message.
func (f fieldSet) cut(out, message []byte) (_ []byte, ok bool) {
	message, prefixed := bytes.CutPrefix(message, []byte(objectPrefix))
	if prefixed {
		out = append(out, objectPrefix...)
	}
	for len(message) > 0 {
		field, ok := nextField(message)
		if !ok {
			return out, false
		}
		switch inside, read := f[field.number]; {
		case !read:
		case inside == nil:
			out = append(out, message[:field.end]...)
		case field.wireType != wireBytes:
			return out, false
		default:
			out = append(out, message[:field.value]...)
			start := len(out)
			if out, ok = inside.cut(out, message[field.value:field.end]); !ok {
				return out, false
			}
			putLength(out[start-field.value+field.length:start], len(out)-start)
		}
		message = message[field.end:]
	}
	return out, true
}

// putLength overwrites a length by one that is not greater, in as many bytes:
// protobuf allows leading zeros.
func putLength(at []byte, length int) {
	last := len(at) - 1
	for i := range at {
		at[i] = byte(length)&0x7f | 0x80
		length >>= 7
	}
	at[last] &= 0x7f
}

// valueOf returns the first value of a field that holds a text or a message; nil if
// there is none.
func valueOf(message []byte, number uint64) []byte {
	message = bytes.TrimPrefix(message, []byte(objectPrefix))
	for len(message) > 0 {
		field, ok := nextField(message)
		switch {
		case !ok:
			return nil
		case field.number == number && field.wireType == wireBytes:
			return message[field.value:field.end]
		}
		message = message[field.end:]
	}
	return nil
}

// field is the first field of a message: where its length begins, if it has one, where
// its value begins, and where it ends.
type field struct {
	number, wireType   uint64
	length, value, end int
}

// The wire types of protobuf, but for groups, which Kubernetes does not use.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// nextField returns the first field of a message; ok is false if it is broken.
func nextField(message []byte) (f field, ok bool) {
	tag, n := binary.Uvarint(message)
	if n <= 0 {
		return f, false
	}
	f.number, f.wireType, f.length, f.value = tag>>3, tag&7, n, n
	var size uint64
	switch f.wireType {
	case wireVarint:
		_, n := binary.Uvarint(message[f.value:])
		if n <= 0 {
			return f, false
		}
		size = uint64(n)
	case wireFixed64:
		size = 8
	case wireFixed32:
		size = 4
	case wireBytes:
		length, n := binary.Uvarint(message[f.length:])
		if n <= 0 {
			return f, false
		}
		f.value += n
		size = length
	default:
		return f, false
	}
	if size > uint64(len(message)-f.value) {
		return f, false
	}
	f.end = f.value + int(size)
	return f, true
}
