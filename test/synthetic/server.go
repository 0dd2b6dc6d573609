package synthetic

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/kubernetes/scheme"
)

// Config configures a Server.
type Config struct {
	Size Size
	// NoStreamedLists rejects streamed lists, as API servers before 1.32 do.
	NoStreamedLists bool
	// NoHistory rejects watches that resume where an earlier one was, as an API server
	// does that was restarted: 410 Gone.
	NoHistory bool
	// BookmarkInterval is the interval of bookmarks; a minute if zero.
	BookmarkInterval time.Duration
}

// Server implements http.Handler. It need not be stopped.
type Server struct {
	config      Config
	collections []collection

	// changes is the number of changes so far.
	changes atomic.Int64

	mu sync.Mutex
	// watches are open.
	watches map[*watchStream]struct{}
}

// NewServer returns a Server.
func NewServer(config Config) *Server {
	if config.BookmarkInterval == 0 {
		config.BookmarkInterval = time.Minute
	}
	return &Server{config: config, collections: collectionsOf(config.Size), watches: map[*watchStream]struct{}{}}
}

// version returns the resource version of the present.
func (s *Server) version() string { return strconv.FormatInt(firstVersion+s.changes.Load(), 10) }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/version":
		answer(w, http.StatusOK, version.Info{Major: "1", Minor: "37", GitVersion: "v1.37.2", Platform: "linux/amd64"})
	case "/livez", "/readyz", "/healthz":
		_, _ = w.Write([]byte("ok")) // the client may have disconnected
	default:
		if err := s.serve(w, r); err != nil {
			refuse(w, err)
		}
	}
}

// serve responds to a request for a resource, or returns an error to respond with.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) *apierrors.StatusError {
	group, namespace, resource, name, ok := route(r.URL.Path)
	if !ok {
		return apierrors.NewGenericServerResponse(http.StatusNotFound, "get", schema.GroupResource{}, "", "no such path", 0, true)
	}
	from := s.collection(group, resource)
	switch {
	case r.Method != http.MethodGet:
		return apierrors.NewMethodNotSupported(group.WithResource(resource).GroupResource(), r.Method)
	case from == nil || name != "":
		return apierrors.NewNotFound(group.WithResource(resource).GroupResource(), name)
	}
	var options metav1.ListOptions
	if err := scheme.ParameterCodec.DecodeParameters(r.URL.Query(), schema.GroupVersion{Version: "v1"}, &options); err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	selected, err := newSelection(namespace, &options)
	if err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	if !options.Watch {
		return from.list(w, selected, s.version(), &options)
	}
	if refusal := s.checkStreaming(&options); refusal != nil {
		return refusal
	}
	if s.config.NoHistory && options.ResourceVersion != "" && options.ResourceVersion != "0" {
		return apierrors.NewResourceExpired("too old resource version: " + options.ResourceVersion)
	}
	watch := watchStream{server: s, from: from, selected: selected, changes: make(chan change), done: make(chan struct{})}
	return watch.serve(w, r, &options)
}

func (s *Server) collection(group schema.GroupVersion, resource string) *collection {
	for i := range s.collections {
		if s.collections[i].version == group && s.collections[i].resource == resource {
			return &s.collections[i]
		}
	}
	return nil
}

// checkStreaming does what ValidateListOptions does in
// k8s.io/apimachinery/pkg/apis/meta/internalversion/validation (v0.37).
func (s *Server) checkStreaming(options *metav1.ListOptions) *apierrors.StatusError {
	if options.SendInitialEvents == nil {
		return nil
	}
	path := field.NewPath("sendInitialEvents")
	var mistakes field.ErrorList
	switch {
	case s.config.NoStreamedLists:
		mistakes = append(mistakes, field.Forbidden(path, "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"))
	case options.ResourceVersionMatch != metav1.ResourceVersionMatchNotOlderThan:
		mistakes = append(mistakes, field.Forbidden(path, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"))
	case !options.AllowWatchBookmarks:
		mistakes = append(mistakes, field.Forbidden(path, "sendInitialEvents requires allowWatchBookmarks"))
	default:
		return nil
	}
	return apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: "ListOptions"}, "", mistakes)
}

// refuse responds with a Status. Servers may always send it in JSON.
func refuse(w http.ResponseWriter, err *apierrors.StatusError) {
	status := err.Status()
	status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	answer(w, int(status.Code), status)
}

func answer(w http.ResponseWriter, code int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, fmt.Sprintf("encoding a %T: %v", value, err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(body) // the client may have disconnected
}
