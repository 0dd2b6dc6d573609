package synthetic

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Size is the size of a cluster.
type Size struct {
	Nodes, DaemonSets int
	// OtherPods is the number of pods without a DaemonSet.
	OtherPods int
	// BrokenPercent is the share of cells without a working pod, for one of four reasons.
	BrokenPercent float64
}

// Cells returns the number of pairs of a DaemonSet and a node. Each DaemonSet runs on
// each node.
func (s Size) Cells() int { return s.Nodes * s.DaemonSets }

// Broken returns the number of cells without a working pod.
func (s Size) Broken() int {
	count := 0
	for set := range s.DaemonSets {
		count += s.brokenOf(set).all()
	}
	return count
}

// DaemonSetPods returns the number of pods of DaemonSets.
func (s Size) DaemonSetPods() int {
	count := s.Cells()
	for set := range s.DaemonSets {
		count -= s.brokenOf(set).missing
	}
	return count
}

// trouble is the reason why a cell has no working pod.
type trouble int

const (
	works trouble = iota
	missing
	crashLoop
	imagePull
	notReady
)

// troubles is the number of values.
const troubles = notReady + 1

// troubleOf returns the pseudo-random trouble of a cell.
func (s Size) troubleOf(set, node int) trouble {
	chance := scramble(uint64(set)<<32 | uint64(node))
	if float64(chance%1e6) >= s.BrokenPercent*1e4 {
		return works
	}
	return missing + trouble(chance>>32%uint64(troubles-missing))
}

// brokenCells counts a DaemonSet's cells without a working pod.
type brokenCells struct{ missing, unready int }

func (b brokenCells) all() int { return b.missing + b.unready }

func (s Size) brokenOf(set int) (broken brokenCells) {
	for node := range s.Nodes {
		switch s.troubleOf(set, node) {
		case works:
		case missing:
			broken.missing++
		case crashLoop, imagePull, notReady:
			broken.unready++
		}
	}
	return broken
}

// nodeAt returns the node of a DaemonSet's pod: lists are ordered by names, which are
// random.
func (s Size) nodeAt(place int) int {
	const stride = 1_000_003 // a prime, so that every node is used once
	if s.Nodes%stride == 0 {
		return place
	}
	return place * stride % s.Nodes
}

// epoch returns when the cluster was created: so long ago that nothing is new.
func epoch() time.Time { return time.Date(2026, time.September, 1, 8, 0, 0, 0, time.UTC) }

// createdAt returns the creation time of the object with an index.
func createdAt(index int) metav1.Time {
	return metav1.NewTime(epoch().Add(time.Duration(index%1_000_000) * time.Second))
}

// Kinds of objects, so that no two share a UID or a version.
const (
	seedNode = iota + 1
	seedDaemonSet
	seedPod
	seedWorkload
	seedContainer
)

func uidOf(seed, index int) types.UID {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], scramble(uint64(seed)<<48|uint64(index)))
	binary.BigEndian.PutUint64(raw[8:], scramble(uint64(seed)<<49|uint64(index)))
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	var text [36]byte
	hex.Encode(text[0:8], raw[0:4])
	hex.Encode(text[9:13], raw[4:6])
	hex.Encode(text[14:18], raw[6:8])
	hex.Encode(text[19:23], raw[8:10])
	hex.Encode(text[24:36], raw[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return types.UID(text[:])
}

// firstVersion is the resource version of a server that has changed nothing yet, later
// than that of any object. It has as many digits as all others.
const firstVersion = 9_000_000_000

func versionOf(seed, index int) string {
	return strconv.Itoa(seed*1_000_000_000 + index)
}

// digestOf is a digest in hexadecimal digits, as images and containers have it.
func digestOf(seed, index int) string {
	var raw [32]byte
	for word := range 4 {
		binary.BigEndian.PutUint64(raw[word*8:], scramble(uint64(seed)<<40|uint64(index)<<2|uint64(word)))
	}
	return hex.EncodeToString(raw[:])
}

// suffixOf is the random end of a pod's name; different for all indexes below
// fourteen million.
func suffixOf(index int) string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	const all = len(alphabet) * len(alphabet) * len(alphabet) * len(alphabet) * len(alphabet)
	var text [5]byte
	rest := index * 7_368_787 % all
	for i := range text {
		text[i] = alphabet[rest%len(alphabet)]
		rest /= len(alphabet)
	}
	return string(text[:])
}

// addressOf is one of a million IP addresses, all of the same length.
func addressOf(prefix, index int) string {
	return strconv.Itoa(prefix) + "." + dotted(index, ".")
}

// dotted is three numbers of three digits each, a million times different.
func dotted(index int, dot string) string {
	return strconv.Itoa(100+index/10_000%100) + dot + strconv.Itoa(100+index/100%100) + dot + strconv.Itoa(100+index%100)
}

// scramble is the finaliser of splitmix64.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
