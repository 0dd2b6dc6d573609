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

// ErrorKind classifies failed requests by what has to be done about them.
type ErrorKind string

// The kinds of failed requests.
const (
	// ErrorForbidden: the role lacks a permission.
	ErrorForbidden ErrorKind = "forbidden"
	// ErrorUnauthorized: the API server does not accept the credentials.
	ErrorUnauthorized ErrorKind = "unauthorized"
	// ErrorUnreachable: the API server did not respond.
	ErrorUnreachable ErrorKind = "unreachable"
	// ErrorExpired: the resource version is compacted, or higher than any that
	// the server has (it was restored from a backup). Everything is listed again;
	// nothing has to be done.
	ErrorExpired ErrorKind = "expired"
	// ErrorNotFound: the object, or the resource, does not exist.
	ErrorNotFound ErrorKind = "not_found"
	// ErrorOther: anything else.
	ErrorOther ErrorKind = "other"
)

// RequestError is a failed request to the API server.
type RequestError struct {
	Kind ErrorKind
	// Verb is the verb of the permission: get, list or watch.
	Verb string
	// Needs is the permission that covers the request.
	Needs Permission
	// Namespace is the namespace of the request; empty for all.
	Namespace string
	// User is the user as which the server authenticated the exporter; empty if
	// the response does not contain it.
	User string
	// Err is the error of client-go.
	Err error
}

// Error returns in one line what failed and what to do.
func (e *RequestError) Error() string {
	switch e.Kind {
	case ErrorForbidden:
		user := e.User
		if user == "" {
			user = "the exporter's user"
		}
		return fmt.Sprintf("forbidden: cannot %s %s in the API group %q in %s: grant %s on %s to %s; see deploy/",
			e.Verb, e.Needs.Resource, e.Needs.Group, scopeOf(e.Namespace),
			strings.Join(e.Needs.Verbs, ", "), e.Needs.Resource, user)
	case ErrorUnauthorized:
		return fmt.Sprintf("unauthorized: the API server does not accept the credentials: renew the token or client certificate: %v", e.Err)
	case ErrorUnreachable:
		return fmt.Sprintf("unreachable: the API server does not answer: check its address in the kubeconfig, the network, and that it runs: %v", e.Err)
	case ErrorExpired:
		return fmt.Sprintf("expired: listing all %s again: %v", e.Needs.Resource, e.Err)
	case ErrorNotFound:
		return fmt.Sprintf("not found: cannot %s %s in the API group %q in %s: %v",
			e.Verb, e.Needs.Resource, e.Needs.Group, scopeOf(e.Namespace), e.Err)
	case ErrorOther:
	}
	return fmt.Sprintf("cannot %s %s in %s: %v", e.Verb, e.Needs.Resource, scopeOf(e.Namespace), e.Err)
}

// Unwrap returns the error of client-go.
func (e *RequestError) Unwrap() error { return e.Err }

func scopeOf(namespace string) string {
	if namespace == "" {
		return "all namespaces"
	}
	return fmt.Sprintf("namespace %q", namespace)
}

// requestError returns the classified error of a request that got a response.
func requestError(err error, verb string, needs Permission, namespace string) *RequestError {
	return &RequestError{
		Kind:      errorKind(err),
		Verb:      verb,
		Needs:     needs,
		Namespace: namespace,
		User:      userOf(err),
		Err:       err,
	}
}

// unansweredError returns the error of a request that got no response.
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

func errorKind(err error) ErrorKind {
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

// userOf returns the user as which the server authenticated the exporter. Only
// the text of the response has it
// (apiserver/pkg/endpoints/handlers/responsewriters/errors.go, v1.37).
func userOf(err error) string {
	found := regexp.MustCompile(`User "([^"]+)"`).FindStringSubmatch(err.Error())
	if found == nil {
		return ""
	}
	return found[1]
}

// cannotStream reports whether the server refused to stream a list because it
// does not support that: an API server before 1.32, or with the feature gate
// WatchList off (apimachinery/pkg/apis/meta/internalversion/validation, v1.37).
func cannotStream(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	code := int(status.Status().Code)
	return slices.Contains([]int{http.StatusUnprocessableEntity, http.StatusBadRequest}, code)
}
