package slim_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"

	"github.com/daemonset-exporter/daemonset_exporter/informers/slim"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
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
			check.Equal(t, slim.ParseUID(test.text), test.want, test.text)
		})
	}
	t.Run("texts that are not UUIDs in the API server's form stay distinct", func(t *testing.T) {
		seen := map[slim.UID]types.UID{{}: "", uuid: "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}
		for _, text := range []types.UID{
			"0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0",
			"0f1e2d3c04b5a-6978-8796-a5b4c3d2e1f0",
			"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1g0",
			"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f",
			"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f00",
			"0f1e2d3c4b5a69788796a5b4c3d2e1f0",
			"------------------------------------",
			"mirror-pod", "mirror-poe", " ", "\x00", "é",
		} {
			uid := slim.ParseUID(text)
			if other, taken := seen[uid]; taken {
				t.Errorf("ParseUID(%q) = ParseUID(%q)", text, other)
			}
			check.That(t, slim.ParseUID(text) == uid, "ParseUID(%q) differs between calls", text)
			seen[uid] = text
		}
	})
}

func TestIntern(t *testing.T) {
	t.Parallel()
	if a, b := slim.Intern("node-"+"a"), slim.Intern(string([]byte("node-a"))); a != b || a.Value() != "node-a" {
		t.Errorf("Intern returned %q and %q, want the same Text", a.Value(), b.Value())
	}
	check.That(t, slim.Intern("a") != slim.Intern("b") && slim.Intern("") != slim.Intern(" "), "Intern returned the same Text for different strings")
}

func TestStamp(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		of   *metav1.Time
		want slim.Stamp
	}{
		"no time is zero":                  {nil, 0},
		"the zero time is zero":            {&metav1.Time{}, 0},
		"a time is its whole Unix second":  {ptr.To(metav1.NewTime(noon.Add(900 * time.Millisecond))), noonStamp},
		"a time before 1970 is zero":       {&metav1.Time{Time: time.Unix(-5, 0)}, 0},
		"a time after 2106 is the highest": {&metav1.Time{Time: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)}, 4294967295},
	} {
		t.Run(name, func(t *testing.T) {
			got := slim.StampOf(test.of)
			check.That(t, got == test.want && got.IsZero() == (test.want == 0), "StampOf(%v) = %d, want %d", test.of, got, test.want)
		})
	}
	check.That(t, noonStamp.Time().Equal(noon.Time) && noonStamp.Add(-30).Time().Equal(noon.Add(-30*time.Second)), "%d is %v, thirty seconds earlier %v", noonStamp, noonStamp.Time(), noonStamp.Add(-30).Time())
	var none slim.Stamp
	check.That(t, none.Time().IsZero() && none.Add(30) == 0, "the zero Stamp is %v, thirty seconds later %d; want zero", none.Time(), none.Add(30))
}

// client-go's stores ask a slim object for its key and version as if it were the
// API object.
func TestMeta(t *testing.T) {
	t.Parallel()
	pod := func(uid types.UID, version string) *slim.Pod {
		return slim.FromPod(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Namespace: "logging", Name: "fluentd-x", UID: uid, ResourceVersion: version,
		}})
	}
	for object, want := range map[any]string{
		pod("u", "1"): "logging/fluentd-x",
		slim.FromNode(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a"}}): "a",
	} {
		if key, err := cache.MetaNamespaceKeyFunc(object); err != nil || key != want {
			t.Errorf("the key of %T is %q, %v; want %q", object, key, err, want)
		}
	}
	for _, version := range []string{"7", "18446744073709551615"} {
		check.Equal(t, pod("u", version).GetObjectMeta().GetResourceVersion(), version, "the resource version")
	}
	for name, test := range map[string]struct {
		a, b *slim.Pod
		// same and sameVersion are what SameVersion and client-go's comparison of
		// resource versions find.
		same, sameVersion bool
	}{
		"the same version of the same pod":      {pod("u", "41"), pod("u", "41"), true, true},
		"another version":                       {pod("u", "41"), pod("u", "42"), false, false},
		"another pod of the same name":          {pod("u", "41"), pod("v", "41"), false, true},
		"a version that is not a number":        {pod("u", "41"), pod("u", "41a"), false, false},
		"two versions that are not numbers":     {pod("u", "x1"), pod("u", "x2"), false, false},
		"the same version that is not a number": {pod("u", "x1"), pod("u", "x1"), true, true},
		"no version":                            {pod("u", "41"), pod("u", ""), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			check.Equal(t, test.a.SameVersion(&test.b.Meta), test.same, "SameVersion")
			check.Equal(t, test.a.GetObjectMeta().GetResourceVersion() == test.b.GetObjectMeta().GetResourceVersion(), test.sameVersion, "resource versions are the same")
		})
	}
}
