package informers

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ErrorKind classifies failed requests by what has to be done about them. It is the
// label "reason" of the metric that counts them.
type ErrorKind string

// The kinds of failed requests.
const (
	// ErrorForbidden: the role lacks a permission.
	ErrorForbidden ErrorKind = "forbidden"
	// ErrorUnauthorized: the API server does not accept the credentials.
	ErrorUnauthorized ErrorKind = "unauthorized"
	// ErrorNotFound: the object, or the resource, does not exist.
	ErrorNotFound ErrorKind = "not_found"
	// ErrorUnreachable: the API server did not respond.
	ErrorUnreachable ErrorKind = "unreachable"
	// ErrorSilent: the connection is open, and nothing comes.
	ErrorSilent ErrorKind = "silent"
	// ErrorClosed: a watch ended before its time.
	ErrorClosed ErrorKind = "closed"
	// ErrorThrottled: the API server has too many requests (429).
	ErrorThrottled ErrorKind = "throttled"
	// ErrorServer: the API server, or a proxy, failed (5xx).
	ErrorServer ErrorKind = "server_error"
	// ErrorExpired: the history that was followed is compacted, or the token of a page.
	// Everything is read again; nothing has to be done.
	ErrorExpired ErrorKind = "expired"
	// ErrorRestored: the API server was restored from a backup. Everything is read
	// again; nothing has to be done.
	ErrorRestored ErrorKind = "restored"
	// ErrorOther: anything else.
	ErrorOther ErrorKind = "other"
)

// ErrorKinds returns all kinds.
func ErrorKinds() []ErrorKind {
	return []ErrorKind{
		ErrorForbidden, ErrorUnauthorized, ErrorNotFound, ErrorUnreachable, ErrorSilent, ErrorClosed,
		ErrorThrottled, ErrorServer, ErrorExpired, ErrorRestored, ErrorOther,
	}
}

// refuses reports whether the API server lets nobody with these credentials read.
func (k ErrorKind) refuses() bool { return k == ErrorForbidden || k == ErrorNotFound }

// ofServer reports whether the failure is of the API server and not of one resource.
func (k ErrorKind) ofServer() bool {
	return slices.Contains([]ErrorKind{
		ErrorUnauthorized, ErrorUnreachable, ErrorSilent, ErrorClosed, ErrorThrottled, ErrorServer,
	}, k)
}

// passes reports whether the failure is over without anybody doing anything.
func (k ErrorKind) passes() bool { return k == ErrorExpired || k == ErrorRestored }

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
	case ErrorNotFound:
		return fmt.Sprintf("not found: cannot %s %s in the API group %q in %s: %v",
			e.Verb, e.Needs.Resource, e.Needs.Group, scopeOf(e.Namespace), e.Err)
	case ErrorUnreachable:
		return fmt.Sprintf("unreachable: the API server does not answer: check its address in the kubeconfig, the network, and that it runs: %v", e.Err)
	case ErrorSilent:
		return fmt.Sprintf("silent: the API server sends nothing: check that it is not overloaded, and the network and proxies before it: %v", e.Err)
	case ErrorClosed:
		return fmt.Sprintf("closed: a watch ended before its time: check the API server's restarts, and the time-outs of proxies before it: %v", e.Err)
	case ErrorThrottled:
		return fmt.Sprintf("throttled: the API server has too many requests: check its API priority and fairness: %v", e.Err)
	case ErrorServer:
		return fmt.Sprintf("server error: the API server or a proxy before it failed: check their logs: %v", e.Err)
	case ErrorExpired, ErrorRestored:
		return fmt.Sprintf("%s: reading all %s again, nothing has to be done: %v", e.Kind, e.Needs.Resource, e.Err)
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

// requestError returns the classified error of a request.
func requestError(err error, verb string, needs Permission, namespace string) *RequestError {
	return &RequestError{
		Kind:      classify(err, false).kind,
		Verb:      verb,
		Needs:     needs,
		Namespace: namespace,
		User:      userOf(err),
		Err:       err,
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
