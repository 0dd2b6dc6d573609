package informers

import (
	"context"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

// Whoever sends one invalid token after the other must not load the API server with
// it. Valid ones are asked about once a minute.
const (
	reviewsPerSecond = 20
	reviewsBurst     = 50
)

// reviewTimeout limits a review with all its requests: a scrape waits for it, and
// Prometheus waits ten seconds for a scrape.
const reviewTimeout = 4 * time.Second

// Verdict is what the API server says about a request to the exporter.
type Verdict string

// The verdicts.
const (
	// Unauthenticated: the token is not valid, or not for this API server.
	Unauthenticated Verdict = "unauthenticated"
	// Forbidden: the user lacks the right.
	Forbidden Verdict = "forbidden"
	// Allowed: the user has the right.
	Allowed Verdict = "allowed"
)

// Reviews asks the API server whose token a request carries and whether its owner may
// read a path, as Kubernetes' own components do.
type Reviews struct{ authentication, authorization rest.Interface }

// NewReviews returns a reviewer with a rate limit of its own.
func NewReviews(config *rest.Config) (*Reviews, error) {
	limited := rest.CopyConfig(config)
	limited.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(reviewsPerSecond, reviewsBurst)
	clients, err := newClients(limited)
	if err != nil {
		return nil, err
	}
	authentication, err := clients.forVersion(authenticationv1.SchemeGroupVersion)
	if err != nil {
		return nil, err
	}
	authorization, err := clients.forVersion(authorizationv1.SchemeGroupVersion)
	if err != nil {
		return nil, err
	}
	return &Reviews{authentication: authentication, authorization: authorization}, nil
}

// Review returns whether the owner of the token may send a request with this verb, such
// as get, to this path. The API server accepts tokens for itself only, since the review
// names no other audience. It is asked each time.
//
// An error is a *RequestError: there is no verdict.
func (r *Reviews) Review(ctx context.Context, token, verb, path string) (Verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, reviewTimeout)
	defer cancel()
	who := authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	if err := create(ctx, r.authentication, tokenReviewPermission(), &who, &who); err != nil {
		return "", err
	}
	if !who.Status.Authenticated {
		return Unauthenticated, nil
	}
	user := who.Status.User
	extra := make(map[string]authorizationv1.ExtraValue, len(user.Extra))
	for key, values := range user.Extra {
		extra[key] = authorizationv1.ExtraValue(values)
	}
	may := authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user.Username, UID: user.UID, Groups: user.Groups, Extra: extra,
		NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: path, Verb: verb},
	}}
	if err := create(ctx, r.authorization, accessReviewPermission(), &may, &may); err != nil {
		return "", err
	}
	if !may.Status.Allowed {
		return Forbidden, nil
	}
	return Allowed, nil
}

// create sends a review and stores the answer. Its errors do not hold the token: those
// of client-go name the path and not the body of a request.
func create(ctx context.Context, client rest.Interface, needs Permission, review, into runtime.Object) error {
	err := client.Post().
		Resource(needs.Resource).
		VersionedParams(&metav1.CreateOptions{}, metav1.ParameterCodec).
		Body(review).
		Do(ctx).
		Into(into)
	if err != nil {
		return requestError(err, "create", needs, "")
	}
	return nil
}

// ReviewPermissions returns the permissions of Reviews. They are needed only where
// Kubernetes decides who may read the metrics.
func ReviewPermissions() []Permission {
	return []Permission{tokenReviewPermission(), accessReviewPermission()}
}

func tokenReviewPermission() Permission {
	return Permission{Group: authenticationv1.GroupName, Resource: "tokenreviews", Verbs: []string{"create"}}
}

func accessReviewPermission() Permission {
	return Permission{Group: authorizationv1.GroupName, Resource: "subjectaccessreviews", Verbs: []string{"create"}}
}
