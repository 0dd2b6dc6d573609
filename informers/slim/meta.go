package slim

import (
	"hash/fnv"
	"math"
	"strconv"
	"strings"
	"time"
	"unique"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Text is a string that many slim objects share: a namespace, a node's name, a
// revision. It takes one word, compares by pointer, and is freed with the last
// object that holds it.
type Text = unique.Handle[string]

// Intern returns the Text of s.
func Intern(s string) Text { return unique.Make(s) }

// ValidUTF8 returns s with U+FFFD instead of what is no UTF-8: what becomes a label of
// metrics is repaired where it comes from. The API server sends none, but a file may.
func ValidUTF8(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// UID is a Kubernetes UID in 16 bytes: the UUID itself or, for a text that is not
// a UUID, its 128-bit FNV hash. The zero UID means that there is none.
type UID [16]byte

// ParseUID returns the UID of the API's text form.
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

// parseUUID parses the form 8-4-4-4-12 of lower-case hexadecimal digits.
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

// Stamp is a timestamp of the API: Unix time in whole seconds, which fit into
// half a word until 2106. Zero means that the object has none.
type Stamp uint32

// StampOf returns the Stamp of an API time; zero for nil, for the zero time and
// for times before 1970. Times after 2106 become the highest Stamp.
func StampOf(t *metav1.Time) Stamp {
	if t == nil || t.IsZero() {
		return 0
	}
	return stampAt(t.Unix())
}

func stampAt(seconds int64) Stamp { return Stamp(min(max(seconds, 0), math.MaxUint32)) }

// IsZero reports whether the object has no such timestamp.
func (s Stamp) IsZero() bool { return s == 0 }

// Time returns the Stamp as a time.Time; the zero time for the zero Stamp.
func (s Stamp) Time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0)
}

// Add returns the Stamp plus seconds. The zero Stamp stays zero.
func (s Stamp) Add(seconds int64) Stamp {
	if s == 0 {
		return 0
	}
	return stampAt(int64(s) + seconds)
}

// Sub returns the time from other to s.
func (s Stamp) Sub(other Stamp) time.Duration {
	return time.Duration(int64(s)-int64(other)) * time.Second
}

// Meta is the trimmed metadata of an object.
type Meta struct {
	Namespace         Text
	Name              string
	UID               UID
	CreationTimestamp Stamp
	// Late reports whether this version came later than the change that made it: with
	// a list, with the first events of a stream, or while a watch that was lost and
	// opened again was catching up. Only then do its stamps tell when that was: on a
	// watch that was never interrupted an old stamp means a clock that is wrong.
	Late bool
	// version distinguishes two versions of an object and has no other use. The
	// shared informer needs it: on a relist it skips objects whose version has
	// not changed.
	version uint64
}

// SameVersion reports whether m and other are the same version of the same
// object, as after a relist that repeats known objects.
func (m *Meta) SameVersion(other *Meta) bool {
	return m.UID == other.UID && m.version == other.version
}

func metaOf(object metav1.Object) Meta {
	created := object.GetCreationTimestamp()
	return Meta{
		Namespace:         Intern(ValidUTF8(object.GetNamespace())),
		Name:              ValidUTF8(object.GetName()),
		UID:               ParseUID(object.GetUID()),
		CreationTimestamp: StampOf(&created),
		Late:              object.GetSelfLink() == lateMark,
		version:           parseVersion(object.GetResourceVersion()),
	}
}

// lateMark is carried in a field that Kubernetes has not set since 1.20, from where a
// version arrives to where it is trimmed.
const lateMark = "late"

// MarkLate makes an object of the API a late version.
func MarkLate(object metav1.Object) { object.SetSelfLink(lateMark) }

// parseVersion returns a resource version in one word. Versions are decimal
// numbers since Kubernetes 1.35; anything else is hashed, as only equality
// counts.
func parseVersion(text string) uint64 {
	if version, err := strconv.ParseUint(text, 10, 64); err == nil {
		return version
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(text))
	return hash.Sum64()
}

// GetObjectMeta implements metav1.ObjectMetaAccessor, so that client-go's stores
// accept slim objects. They read namespace, name and resource version; everything
// else is empty.
func (m *Meta) GetObjectMeta() metav1.Object { return identity{ObjectMeta: &noMeta, meta: m} }

// noMeta holds the empty fields of every identity. It is never written to.
var noMeta metav1.ObjectMeta

type identity struct {
	*metav1.ObjectMeta
	meta *Meta
}

func (i identity) GetNamespace() string       { return i.meta.Namespace.Value() }
func (i identity) GetName() string            { return i.meta.Name }
func (i identity) GetResourceVersion() string { return strconv.FormatUint(i.meta.version, 10) }
