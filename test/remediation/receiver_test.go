package remediation

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// TestNotification has messages about which the API server is not asked: there is none.
func TestNotification(t *testing.T) {
	for name, test := range map[string]struct {
		method, body string
		want         int
	}{
		"no POST":               {http.MethodGet, "", http.StatusMethodNotAllowed},
		"no JSON":               {http.MethodPost, "{", http.StatusBadRequest},
		"too long":              {http.MethodPost, `{"alerts": "` + strings.Repeat(" ", maxBody), http.StatusBadRequest},
		"nothing":               {http.MethodPost, `{}`, http.StatusOK},
		"another alert":         {http.MethodPost, `{"alerts": [{"status": "firing", "labels": {"alertname": "DaemonSetNodeTainted", "node": "a"}}]}`, http.StatusOK},
		"an alert that is over": {http.MethodPost, `{"alerts": [{"status": "resolved", "labels": {"alertname": "DaemonSetNodeDown", "node": "a"}}]}`, http.StatusOK},
		"an alert without node": {http.MethodPost, `{"alerts": [{"status": "firing", "labels": {"alertname": "DaemonSetNodeDown"}}]}`, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			answer := httptest.NewRecorder()
			(&Receiver{}).ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), test.method, "/", strings.NewReader(test.body)))
			check.Equal(t, answer.Code, test.want, "status")
		})
	}
}
