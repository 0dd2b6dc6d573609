package informers

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/client-go/rest"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// reviewer is an API server that answers reviews, and keeps what it was asked.
type reviewer struct {
	who authenticationv1.TokenReviewStatus
	may authorizationv1.SubjectAccessReviewStatus
	// refuses holds an HTTP status for a path.
	refuses map[string]int

	tokens   []authenticationv1.TokenReviewSpec
	accesses []authorizationv1.SubjectAccessReviewSpec
}

const (
	tokenPath  = "/apis/authentication.k8s.io/v1/tokenreviews"
	accessPath = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
)

func (r *reviewer) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if status := r.refuses[request.URL.Path]; status != 0 {
		w.WriteHeader(status)
		return
	}
	var answer any
	var err error
	switch request.Method + request.URL.Path {
	case http.MethodPost + tokenPath:
		review := &authenticationv1.TokenReview{}
		err = json.NewDecoder(request.Body).Decode(review)
		r.tokens = append(r.tokens, review.Spec)
		review.Status, answer = r.who, review
	case http.MethodPost + accessPath:
		review := &authorizationv1.SubjectAccessReview{}
		err = json.NewDecoder(request.Body).Decode(review)
		r.accesses = append(r.accesses, review.Spec)
		review.Status, answer = r.may, review
	default:
		http.NotFound(w, request)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// reviews returns the reviews by an API server of the test.
func reviews(t *testing.T, server http.Handler) *Reviews {
	t.Helper()
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	return check.Must(NewReviews(&rest.Config{Host: listening.URL}))(t)
}

func TestReviews(t *testing.T) {
	t.Parallel()
	alice := authenticationv1.TokenReviewStatus{Authenticated: true, User: authenticationv1.UserInfo{
		Username: "alice", UID: "1", Groups: []string{"readers", "system:authenticated"},
		Extra: map[string]authenticationv1.ExtraValue{"example.com/scope": {"a", "b"}},
	}}
	for name, tc := range map[string]struct {
		who  authenticationv1.TokenReviewStatus
		may  authorizationv1.SubjectAccessReviewStatus
		want Verdict
	}{
		"a token that is not valid": {
			who:  authenticationv1.TokenReviewStatus{Error: "expired"},
			may:  authorizationv1.SubjectAccessReviewStatus{Allowed: true},
			want: Unauthenticated,
		},
		"a user with the right":    {who: alice, may: authorizationv1.SubjectAccessReviewStatus{Allowed: true}, want: Allowed},
		"a user without the right": {who: alice, may: authorizationv1.SubjectAccessReviewStatus{Reason: "no role"}, want: Forbidden},
		"a user who is denied":     {who: alice, may: authorizationv1.SubjectAccessReviewStatus{Denied: true}, want: Forbidden},
		"an authorizer that fails": {who: alice, may: authorizationv1.SubjectAccessReviewStatus{EvaluationError: "broken"}, want: Forbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &reviewer{who: tc.who, may: tc.may}
			got, err := reviews(t, server).Review(t.Context(), "secret", "get", "/metrics")
			check.NoError(t, err)
			check.Equal(t, got, tc.want, "the verdict")
			// No audience: the API server accepts tokens for itself only.
			check.Equal(t, server.tokens, []authenticationv1.TokenReviewSpec{{Token: "secret"}}, "asked about tokens")
			var asked []authorizationv1.SubjectAccessReviewSpec
			if tc.want != Unauthenticated {
				asked = append(asked, authorizationv1.SubjectAccessReviewSpec{
					User: "alice", UID: "1", Groups: []string{"readers", "system:authenticated"},
					Extra:                 map[string]authorizationv1.ExtraValue{"example.com/scope": {"a", "b"}},
					NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: "/metrics", Verb: "get"},
				})
			}
			check.Equal(t, server.accesses, asked, "asked about rights")
		})
	}

	for name, refuses := range map[string]map[string]int{
		"the exporter may not review tokens": {tokenPath: http.StatusForbidden},
		"the exporter may not review rights": {accessPath: http.StatusForbidden},
		"tokens cannot be reviewed now":      {tokenPath: http.StatusInternalServerError},
		"rights cannot be reviewed now":      {accessPath: http.StatusInternalServerError},
	} {
		t.Run("no verdict: "+name, func(t *testing.T) {
			t.Parallel()
			server := &reviewer{who: alice, may: authorizationv1.SubjectAccessReviewStatus{Allowed: true}, refuses: refuses}
			got, err := reviews(t, server).Review(t.Context(), "secret", "get", "/metrics")
			noVerdict(t, got, err)
			var failed *RequestError
			if errors.As(err, &failed) {
				path := "/apis/" + failed.Needs.Group + "/v1/" + failed.Needs.Resource
				check.That(t, refuses[path] != 0, "the error names %s", path)
				check.Equal(t, failed.Kind == ErrorForbidden, refuses[path] == http.StatusForbidden, "whether a permission is missing")
			}
		})
	}

	t.Run("no verdict: the API server does not answer in time", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		got, err := reviews(t, http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
			_, _ = io.Copy(io.Discard, request.Body) // or the server does not notice that the client goes
			cancel()
			<-request.Context().Done()
		})).Review(ctx, "secret", "get", "/metrics")
		noVerdict(t, got, err)
	})
}

// noVerdict checks that a review has failed, with an error that does not hold the token.
func noVerdict(t *testing.T, got Verdict, err error) {
	t.Helper()
	var failed *RequestError
	check.That(t, got == "" && errors.As(err, &failed), "got %q and %v, want an error of the request", got, err)
	check.That(t, err == nil || !strings.Contains(err.Error(), "secret"), "the error holds the token: %v", err)
}
