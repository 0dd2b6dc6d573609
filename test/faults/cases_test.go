//go:build linux

package faults

import (
	"net/http"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/daemonset-exporter/daemonset_exporter/test/faults/proxy"
)

// when is what the exporter is doing when a fault begins.
type when string

const (
	// atStart: it reads everything for the first time.
	atStart when = "start"
	// later: it watches.
	later when = "watch"
)

// fault is a row of the page.
type fault struct {
	name string
	when []when
	set  proxy.Fault
	// resets reports whether each attempt brings something, so that the back-off does
	// not grow.
	resets bool
	// slow faults take minutes to be noticed: they are in the long form only.
	slow bool
}

func both() []when { return []when{atStart, later} }

// faults returns what can be done to any request, or to the response to a watch.
func faults(t *testing.T) []fault {
	t.Helper()
	cases := []fault{
		{name: "500", when: both(), set: proxy.Status(http.StatusInternalServerError)},
		{name: "502", when: both(), set: proxy.Status(http.StatusBadGateway)},
		{name: "503", when: both(), set: proxy.Status(http.StatusServiceUnavailable)},
		{name: "504", when: both(), set: proxy.Status(http.StatusGatewayTimeout)},
		{name: "401", when: both(), set: proxy.Status(http.StatusUnauthorized)},
		{name: "403", when: both(), set: proxy.Status(http.StatusForbidden)},
		{name: "403 on watches only", when: both(), set: proxy.When(proxy.Watches, proxy.Status(http.StatusForbidden))},
		{name: "429 with Retry-After: 1", when: both(), set: proxy.Status(http.StatusTooManyRequests, [2]string{"Retry-After", "1"})},
		{name: "refused connections", when: both(), set: proxy.Refuse},
		{name: "watches closed before the first event", when: both(), set: proxy.CutAfter(0)},
		{name: "watches closed after the first event", when: both(), set: proxy.CutAfter(1), resets: true},
		{name: "watches cut in the middle of a frame", when: both(), set: proxy.CutIn(1), resets: true},
		{name: "an error event (500) in each watch", when: both(), set: proxy.Inject(1, errorEvent(t, apierrors.NewInternalError(http.ErrAbortHandler))), resets: true},
		{name: "410 Gone in each watch", when: both(), set: proxy.Inject(1, errorEvent(t, apierrors.NewResourceExpired("too old"))), resets: true},
		{name: "garbage in each watch", when: both(), set: proxy.Inject(1, []byte("garbage")), resets: true},
		{name: "watches cut every second", when: []when{later}, set: proxy.Shorten(time.Second), resets: true},
		{name: "a slow drip, 20 ms a frame", when: []when{later}, set: proxy.Drip(20 * time.Millisecond), resets: true},
		{name: "no byte in response", when: both(), set: proxy.Hang, slow: true},
	}
	return cases
}

// errorEvent returns an error event of a watch in protobuf.
func errorEvent(t *testing.T, failure *apierrors.StatusError) []byte {
	t.Helper()
	status := failure.Status()
	info, _ := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), runtime.ContentTypeProtobuf)
	raw, err := runtime.Encode(scheme.Codecs.EncoderForVersion(info.Serializer, metav1.SchemeGroupVersion), &status)
	if err != nil {
		t.Fatal(err)
	}
	event, err := runtime.Encode(info.StreamSerializer.Serializer, &metav1.WatchEvent{
		Type: string(watch.Error), Object: runtime.RawExtension{Raw: raw},
	})
	if err != nil {
		t.Fatal(err)
	}
	return event
}
