package informers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// treatment is what has to be done about a failed list or watch.
type treatment struct {
	// kind is how the failure is counted and logged; empty if it is none.
	kind ErrorKind
	next step
	// wait is how long the server asks to wait at least.
	wait time.Duration
}

// step is how to go on after a failure.
type step uint8

const (
	// stepRetry tries the same again: a watch resumes where it was.
	stepRetry step = iota
	// stepReadAll reads everything again: the server has another history than the
	// one that was followed.
	stepReadAll
	// stepPages reads everything in pages: the server has answered that it cannot
	// stream. Nothing else leads there.
	stepPages
)

// maxRetryAfter bounds what a server can ask for.
const maxRetryAfter = 2 * time.Minute

// classify returns the treatment of an error. streaming reports whether a streamed list
// was requested.
func classify(err error, streaming bool) treatment {
	code := codeOf(err)
	treated := treatment{kind: ErrorOther, next: stepRetry, wait: retryAfter(err)}
	switch {
	case errors.Is(err, errTimeOver):
		treated.kind = ""
	case errors.Is(err, errRestored):
		treated.kind, treated.next = ErrorRestored, stepReadAll
	case errors.Is(err, errSilent), errors.Is(err, context.DeadlineExceeded):
		treated.kind = ErrorSilent
	case errors.As(err, &closedError{}):
		treated.kind = ErrorClosed
	case unanswered(err):
		treated.kind = unansweredKind(err)
	case apierrors.IsForbidden(err):
		treated.kind = ErrorForbidden
	case apierrors.IsUnauthorized(err):
		treated.kind = ErrorUnauthorized
	case apierrors.IsResourceExpired(err), apierrors.IsGone(err),
		apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge):
		treated.kind, treated.next = ErrorExpired, stepReadAll
	case apierrors.IsNotFound(err):
		treated.kind = ErrorNotFound
	case code == http.StatusTooManyRequests:
		treated.kind = ErrorThrottled
	case code >= http.StatusInternalServerError:
		treated.kind = ErrorServer
	case streaming && (code == http.StatusUnprocessableEntity || code == http.StatusBadRequest):
		// An API server before 1.32, or with the feature gate WatchList off
		// (apimachinery/pkg/apis/meta/internalversion/validation, v1.37).
		treated.kind, treated.next = "", stepPages
	}
	return treated
}

// unanswered reports whether a request got no response: only then does client-go return
// the error of the transport, or that of a context that ended.
func unanswered(err error) bool {
	var failed *url.Error
	return errors.As(err, &failed) || errors.Is(err, context.Canceled)
}

// unansweredKind returns the kind of an error of the transport. The credential plugin of
// a kubeconfig runs there (client-go/plugin/pkg/client/auth/exec/exec.go, v0.37).
func unansweredKind(err error) ErrorKind {
	if strings.Contains(err.Error(), "getting credentials") {
		return ErrorUnauthorized
	}
	return ErrorUnreachable
}

// codeOf returns the HTTP code of a response that reports an error; 0 for other errors.
func codeOf(err error) int {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return 0
	}
	return int(status.Status().Code)
}

func retryAfter(err error) time.Duration {
	seconds, ok := apierrors.SuggestsClientDelay(err)
	if !ok {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxRetryAfter)
}
