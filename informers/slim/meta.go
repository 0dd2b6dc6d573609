// Package slim holds what the exporter keeps of a Kubernetes object: the few
// fields that its rules read, in a few hundred bytes, where the object itself
// takes several kilobytes.
//
// Records are made once, by FromPod, FromNode and FromDaemonSet, while the API
// server's answer is decoded, and are never changed afterwards. The informer
// caches and the ledger share them. The functions are total: an object with
// missing or absurd fields gives a record, never an error and never a panic.
package slim

import (
	"hash/fnv"
	"math"
	"strconv"
	"time"
	"unique"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Text is a string that many records share: a namespace, a node's name, a
// revision. It takes one word, compares by pointer, and goes away with the
// last record that holds it.
type Text = unique.Handle[string]

// Intern gives the Text of s.
func Intern(s string) Text { return unique.Make(s) }

// UID is a Kubernetes UID in 16 bytes: the UUID itself, or, for a text that is
// none, its 128-bit FNV hash. The zero UID means that there is none.
type UID [16]byte

// ParseUID turns the API's text form into a UID.
func ParseUID(text types.UID) UID {
	if text == "" {
		return UID{}
	}
	if uid, ok := parseUUID(string(text)); ok {
		return uid
	}
	var uid UID
	hash := fnv.New128a()
	_, _ = hash.Write([]byte(text)) // a hash never fails
	copy(uid[:], hash.Sum(nil))
	return uid
}

// parseUUID reads the form 8-4-4-4-12 of lower-case hexadecimal digits.
func parseUUID(text string) (UID, bool) {
	var uid UID
	if len(text) != 36 {
		return uid, false
	}
	digits := 0
	for i := range len(text) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if text[i] != '-' {
				return UID{}, false
			}
			continue
		}
		var nibble byte
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			nibble = c - '0'
		case c >= 'a' && c <= 'f':
			nibble = c - 'a' + 10
		default:
			return UID{}, false
		}
		uid[digits/2] = uid[digits/2]<<4 | nibble
		digits++
	}
	return uid, true
}

// Stamp is a moment as the API writes it: Unix time in whole seconds, which fit
// into half a word until 2106. Zero means that the object carries none.
type Stamp uint32

// StampOf is the Stamp of an API time; zero for nil, for the zero time and for
// times before 1970. Times after 2106 count as the last moment that there is.
func StampOf(t *metav1.Time) Stamp {
	if t == nil || t.IsZero() {
		return 0
	}
	return stampAt(t.Unix())
}

func stampAt(seconds int64) Stamp { return Stamp(min(max(seconds, 0), math.MaxUint32)) }

// IsZero tells whether the object carries no such moment.
func (s Stamp) IsZero() bool { return s == 0 }

// Time is the moment as a time.Time; the zero time for no Stamp.
func (s Stamp) Time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0)
}

// Add moves a Stamp by whole seconds. No Stamp stays none.
func (s Stamp) Add(seconds int64) Stamp {
	if s == 0 {
		return 0
	}
	return stampAt(int64(s) + seconds)
}

// Sub is the time from another Stamp to this one.
func (s Stamp) Sub(other Stamp) time.Duration {
	return time.Duration(int64(s)-int64(other)) * time.Second
}

// Meta is what every record keeps of its object's metadata.
type Meta struct {
	Namespace Text
	Name      string
	UID       UID
	// Created is the creation timestamp.
	CreationTimestamp Stamp
	// version tells two versions of an object apart and has no other use. The
	// shared informer needs it: on a relist it takes an object whose version
	// has not changed for one that it has reported already.
	version uint64
}

// SameVersion tells whether two records are of the same version of the same
// object, as a relist that repeats what is known already brings them.
func (m *Meta) SameVersion(other *Meta) bool {
	return m.UID == other.UID && m.version == other.version
}

func metaOf(object metav1.Object) Meta {
	created := object.GetCreationTimestamp()
	return Meta{
		Namespace:         Intern(object.GetNamespace()),
		Name:              object.GetName(),
		UID:               ParseUID(object.GetUID()),
		CreationTimestamp: StampOf(&created),
		version:           parseVersion(object.GetResourceVersion()),
	}
}

// parseVersion keeps a resource version in one word. Versions are decimal
// numbers since Kubernetes 1.35; anything else is hashed, for only equality
// counts.
func parseVersion(text string) uint64 {
	if version, err := strconv.ParseUint(text, 10, 64); err == nil {
		return version
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(text))
	return hash.Sum64()
}

// GetObjectMeta lets client-go's stores handle a record as an API object
// (metav1.ObjectMetaAccessor): they ask for namespace, name and resource
// version, and get empty answers to all else.
func (m *Meta) GetObjectMeta() metav1.Object { return identity{ObjectMeta: &noMeta, meta: m} }

// noMeta answers what identity does not. It is never written to.
var noMeta metav1.ObjectMeta

type identity struct {
	*metav1.ObjectMeta
	meta *Meta
}

func (i identity) GetNamespace() string       { return i.meta.Namespace.Value() }
func (i identity) GetName() string            { return i.meta.Name }
func (i identity) GetResourceVersion() string { return strconv.FormatUint(i.meta.version, 10) }
