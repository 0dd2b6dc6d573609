package informers

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ErrorKind sorts failed requests by what somebody has to do about them.
type ErrorKind string

// The kinds of failed requests.
const (
	// Forbidden: the role lacks a permission.
	ErrorForbidden ErrorKind = "forbidden"
	// Unauthorized: the credentials are not accepted.
	ErrorUnauthorized ErrorKind = "unauthorized"
	// Unreachable: the API server gave no answer.
	ErrorUnreachable ErrorKind = "unreachable"
	// Expired: the resource version is compacted, or belongs to a future that
	// the server does not know (any more). The list is read again; nobody has
	// to do anything.
	ErrorExpired ErrorKind = "expired"
	// NotFound: the object, or the resource, does not exist.
	ErrorNotFound ErrorKind = "not_found"
	// Other: anything else.
	ErrorOther ErrorKind = "other"
)

// RequestError is a request to the API server that failed.
type RequestError struct {
	Kind ErrorKind
	// Verb is the verb that the server checks: get, list or watch.
	Verb string
	// Needs is the permission that covers the request.
	Needs Permission
	// Namespace is the namespace asked for; empty for all.
	Namespace string
	// User is who the server took the exporter for; empty if it did not say.
	User string
	// Err is the client's own error.
	Err error
}

// Error says in one line what failed and what to do.
func (e *RequestError) Error() string {
	switch e.Kind {
	case ErrorForbidden:
		user := e.User
		if user == "" {
			user = "the exporter's user"
		}
		return fmt.Sprintf("forbidden: cannot %s %s in the API group %q in %s: grant %s on %s to %s; see deploy/",
			e.Verb, e.Needs.Resource, e.Needs.Group, scope(e.Namespace),
			strings.Join(e.Needs.Verbs, ", "), e.Needs.Resource, user)
	case ErrorUnauthorized:
		return fmt.Sprintf("unauthorized: the API server does not accept the credentials: renew the token or client certificate: %v", e.Err)
	case ErrorUnreachable:
		return fmt.Sprintf("unreachable: the API server does not answer: check its address in the kubeconfig, the network, and that it runs: %v", e.Err)
	case ErrorExpired:
		return fmt.Sprintf("expired: reading all %s again: %v", e.Needs.Resource, e.Err)
	case ErrorNotFound:
		return fmt.Sprintf("not found: cannot %s %s in the API group %q in %s: %v",
			e.Verb, e.Needs.Resource, e.Needs.Group, scope(e.Namespace), e.Err)
	case ErrorOther:
		return fmt.Sprintf("cannot %s %s in %s: %v", e.Verb, e.Needs.Resource, scope(e.Namespace), e.Err)
	default:
		return fmt.Sprintf("cannot %s %s: %v", e.Verb, e.Needs.Resource, e.Err)
	}
}

// Unwrap gives the client's own error.
func (e *RequestError) Unwrap() error { return e.Err }

func scope(namespace string) string {
	if namespace == "" {
		return "all namespaces"
	}
	return fmt.Sprintf("the namespace %q", namespace)
}

// requestError classifies what a request for a resource came to.
func requestError(err error, verb string, needs Permission, namespace string) *RequestError {
	return &RequestError{
		Kind:      kindOfError(err),
		Verb:      verb,
		Needs:     needs,
		Namespace: namespace,
		User:      userIn(err),
		Err:       err,
	}
}

// unansweredError is for a request that got no answer.
func unansweredError(err error, verb string, needs Permission, namespace string) *RequestError {
	failure := requestError(err, verb, needs, namespace)
	failure.Kind = ErrorUnreachable
	// The credential plugin of a kubeconfig runs in the transport
	// (client-go/plugin/pkg/client/auth/exec/exec.go, v0.37).
	if strings.Contains(err.Error(), "getting credentials") {
		failure.Kind = ErrorUnauthorized
	}
	return failure
}

func kindOfError(err error) ErrorKind {
	switch {
	case apierrors.IsForbidden(err):
		return ErrorForbidden
	case apierrors.IsUnauthorized(err):
		return ErrorUnauthorized
	case apierrors.IsResourceExpired(err), apierrors.IsGone(err),
		apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge):
		return ErrorExpired
	case apierrors.IsNotFound(err):
		return ErrorNotFound
	default:
		return ErrorOther
	}
}

// userIn finds who the server took the exporter for. Only the text of the
// answer has it (apiserver/pkg/endpoints/handlers/responsewriters/errors.go, v1.37).
func userIn(err error) string {
	found := regexp.MustCompile(`User "([^"]+)"`).FindStringSubmatch(err.Error())
	if found == nil {
		return ""
	}
	return found[1]
}

// cannotStream tells whether the server refused to stream a list because it
// does not know how: an API server before 1.32, or with the feature gate
// WatchList off (apimachinery/pkg/apis/meta/internalversion/validation, v1.37).
func cannotStream(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	code := int(status.Status().Code)
	return slices.Contains([]int{http.StatusUnprocessableEntity, http.StatusBadRequest}, code)
}
