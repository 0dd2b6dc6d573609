package slim_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
)

func TestParseUID(t *testing.T) {
	t.Parallel()
	uuid := slim.UID{0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78, 0x87, 0x96, 0xa5, 0xb4, 0xc3, 0xd2, 0xe1, 0xf0}
	for name, test := range map[string]struct {
		text types.UID
		want slim.UID
	}{
		"a UUID is its own sixteen bytes": {"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", uuid},
		"no UID is the zero UID":          {"", slim.UID{}},
		"the UUID of zeros is zero":       {"00000000-0000-0000-0000-000000000000", slim.UID{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := slim.ParseUID(test.text); got != test.want {
				t.Errorf("ParseUID(%q) = %x, want %x", test.text, got, test.want)
			}
		})
	}
}

// What is no UUID in the API server's own form is still told apart.
func TestParseUIDOfOtherTexts(t *testing.T) {
	t.Parallel()
	texts := []types.UID{
		"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
		"0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0",
		"0f1e2d3c04b5a-6978-8796-a5b4c3d2e1f0",
		"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1g0",
		"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f",
		"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f00",
		"0f1e2d3c4b5a69788796a5b4c3d2e1f0",
		"------------------------------------",
		"mirror-pod", "mirror-poe", " ", "\x00", "é",
	}
	seen := map[slim.UID]types.UID{}
	for _, text := range texts {
		uid := slim.ParseUID(text)
		if uid == (slim.UID{}) {
			t.Errorf("ParseUID(%q) is the zero UID, which means that there is none", text)
		}
		if other, taken := seen[uid]; taken {
			t.Errorf("ParseUID(%q) = ParseUID(%q)", text, other)
		}
		if slim.ParseUID(text) != uid {
			t.Errorf("ParseUID(%q) differs from call to call", text)
		}
		seen[uid] = text
	}
}

func TestTextsOfTheSameStringAreEqual(t *testing.T) {
	t.Parallel()
	if a, b := slim.Intern("node-"+"a"), slim.Intern(string([]byte("node-a"))); a != b || a.Value() != "node-a" {
		t.Errorf("Intern gave %q and %q, which should be the same", a.Value(), b.Value())
	}
	if slim.Intern("a") == slim.Intern("b") || slim.Intern("") == slim.Intern(" ") {
		t.Error("Intern gave the same Text for different strings")
	}
}

func TestStamp(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		of   *metav1.Time
		want slim.Stamp
	}{
		"no time is no stamp":                     {nil, 0},
		"the zero time is no stamp":               {&metav1.Time{}, 0},
		"a time is its whole Unix second":         {&metav1.Time{Time: noon.Add(900 * time.Millisecond)}, 1795435200},
		"a time before 1970 is no stamp":          {&metav1.Time{Time: time.Unix(-5, 0)}, 0},
		"a time after 2106 is the last that fits": {&metav1.Time{Time: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)}, 4294967295},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := slim.StampOf(test.of)
			if got != test.want || got.IsZero() != (test.want == 0) {
				t.Errorf("StampOf(%v) = %d, want %d", test.of, got, test.want)
			}
		})
	}
	stamp := slim.Stamp(1795435200)
	if !stamp.Time().Equal(noon) || stamp.Add(-30).Time() != noon.Add(-30*time.Second).Local() {
		t.Errorf("stamp %d is %v, thirty seconds earlier %v", stamp, stamp.Time(), stamp.Add(-30).Time())
	}
	var none slim.Stamp
	if !none.Time().IsZero() || none.Add(30) != 0 {
		t.Errorf("no stamp is %v, thirty seconds later %d; it should stay none", none.Time(), none.Add(30))
	}
}

// client-go's stores ask a record for its key and version as if it were the
// object.
func TestRecordsStandForTheirObjects(t *testing.T) {
	t.Parallel()
	pod := func(uid types.UID, version string) *slim.Pod {
		return slim.FromPod(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Namespace: "logging", Name: "fluentd-x", UID: uid, ResourceVersion: version,
		}})
	}
	node := slim.FromNode(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a", ResourceVersion: "7"}})
	for object, want := range map[any]string{pod("u", "1"): "logging/fluentd-x", node: "a"} {
		if key, err := cache.MetaNamespaceKeyFunc(object); err != nil || key != want {
			t.Errorf("key of %T is %q, %v; want %q", object, key, err, want)
		}
	}
	if version := node.GetObjectMeta().GetResourceVersion(); version != "7" {
		t.Errorf("resource version %q, want 7", version)
	}

	known := pod("u", "41")
	got := map[string]bool{}
	for name, other := range map[string]*slim.Pod{
		"the same version of the same pod": pod("u", "41"),
		"another version":                  pod("u", "42"),
		"another pod of the same name":     pod("v", "41"),
		"a version that is no number":      pod("u", "41a"),
		"no version":                       pod("u", ""),
	} {
		got[name] = known.SameVersion(&other.Meta)
		if byKey := known.GetObjectMeta().GetResourceVersion() == other.GetObjectMeta().GetResourceVersion(); byKey != (got[name] || name == "another pod of the same name") {
			t.Errorf("%s: resource versions are the same: %v", name, byKey)
		}
	}
	want := map[string]bool{
		"the same version of the same pod": true,
		"another version":                  false,
		"another pod of the same name":     false,
		"a version that is no number":      false,
		"no version":                       false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("SameVersion (-want +got):\n%s", diff)
	}
	if pod("u", "x1").SameVersion(&pod("u", "x2").Meta) {
		t.Error("two versions that are no numbers are taken for one")
	}
	if pod("u", "18446744073709551615").GetObjectMeta().GetResourceVersion() != "18446744073709551615" {
		t.Errorf("the version %d does not survive", uint64(math.MaxUint64))
	}
}
