package apiserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// served is a resource that the server serves.
type served struct {
	version schema.GroupVersion
	// bookmark and list return an empty object and an empty list.
	bookmark func() Object
	list     func() runtime.Object
}

func servedResource(name string) (served, bool) {
	switch name {
	case "nodes":
		return served{corev1.SchemeGroupVersion, func() Object { return &corev1.Node{} }, func() runtime.Object { return &corev1.NodeList{} }}, true
	case "pods":
		return served{corev1.SchemeGroupVersion, func() Object { return &corev1.Pod{} }, func() runtime.Object { return &corev1.PodList{} }}, true
	case "daemonsets":
		return served{appsv1.SchemeGroupVersion, func() Object { return &appsv1.DaemonSet{} }, func() runtime.Object { return &appsv1.DaemonSetList{} }}, true
	case "controllerrevisions":
		return served{appsv1.SchemeGroupVersion, func() Object { return &appsv1.ControllerRevision{} }, func() runtime.Object { return &appsv1.ControllerRevisionList{} }}, true
	case "namespaces":
		return served{corev1.SchemeGroupVersion, func() Object { return &corev1.Namespace{} }, func() runtime.Object { return &corev1.NamespaceList{} }}, true
	case "leases":
		return served{coordinationv1.SchemeGroupVersion, func() Object { return &coordinationv1.Lease{} }, func() runtime.Object { return &coordinationv1.LeaseList{} }}, true
	default:
		return served{}, false
	}
}

// selection holds the namespace and the selectors of a request.
type selection struct {
	namespace string
	labels    labels.Selector
	fields    fields.Selector
}

func (s selection) matches(object Object) bool {
	return (s.namespace == "" || s.namespace == object.GetNamespace()) &&
		s.labels.Matches(labels.Set(object.GetLabels())) &&
		s.fields.Matches(fields.Set{"metadata.name": object.GetName(), "metadata.namespace": object.GetNamespace()})
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request, name := parse(r)
	s.mu.Lock()
	s.requests = append(s.requests, request)
	interceptor := s.interceptor
	s.mu.Unlock()
	if interceptor != nil {
		if w = interceptor(w, r, request); w == nil {
			return
		}
	}
	resource, known := servedResource(request.Resource)
	selected, err := selectionOf(request)
	if err != nil {
		s.refuse(w, r, apierrors.NewBadRequest(err.Error()))
		return
	}
	if refusal := s.admit(request); refusal != nil {
		s.refuse(w, r, refusal)
		return
	}
	if !known {
		s.document(w, r)
		return
	}
	switch request.Verb {
	case "get":
		s.get(w, r, request, resource, name)
	case "list":
		s.list(w, r, request, resource, selected)
	default:
		s.watch(w, r, request, resource, selected)
	}
}

// parse parses a request: /api/v1/pods, /api/v1/namespaces/a/pods,
// /apis/apps/v1/daemonsets, followed by a name for one object.
func parse(r *http.Request) (request Request, name string) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	request = Request{Verb: "list", Query: r.URL.Query(), Header: r.Header.Clone()}
	skip := 2
	if parts[0] == "apis" {
		skip = 3
	}
	parts = parts[min(skip, len(parts)):]
	if len(parts) > 2 && parts[0] == "namespaces" {
		request.Namespace, parts = parts[1], parts[2:]
	}
	if len(parts) > 0 {
		request.Resource = parts[0]
	} else {
		request.Resource, request.Verb = r.URL.Path, "get"
	}
	switch {
	case len(parts) > 1:
		request.Verb, name = "get", parts[1]
	case request.Query.Get("watch") == "true" || request.Query.Get("watch") == "1":
		request.Verb = "watch"
	}
	return request, name
}

func selectionOf(request Request) (selection, error) {
	byLabels, err := labels.Parse(request.Query.Get("labelSelector"))
	if err != nil {
		return selection{}, fmt.Errorf("label selector: %w", err)
	}
	byFields, err := fields.ParseSelector(request.Query.Get("fieldSelector"))
	if err != nil {
		return selection{}, fmt.Errorf("field selector: %w", err)
	}
	return selection{request.Namespace, byLabels, byFields}, nil
}

// admit returns the error to refuse a request with, or nil.
func (s *Server) admit(request Request) *apierrors.StatusError {
	s.mu.Lock()
	defer s.mu.Unlock()
	resource, _ := servedResource(request.Resource)
	group := schema.GroupResource{Group: resource.version.Group, Resource: request.Resource}
	switch {
	case s.rejected:
		return apierrors.NewUnauthorized("Unauthorized")
	case s.forbidden[permission{verb: request.Verb, resource: request.Resource}],
		s.forbidden[permission{request.Verb, request.Resource, request.Namespace}]:
		why := fmt.Sprintf("User %q cannot %s resource %q in API group %q %s",
			User, request.Verb, request.Resource, group.Group, scope(request.Namespace))
		return apierrors.NewForbidden(group, "", errors.New(why))
	case request.Streams() && s.noStreams:
		return apierrors.NewInvalid(schema.GroupKind{Group: "meta.k8s.io", Kind: "ListOptions"}, "", nil)
	case request.Verb == "get" || (request.Verb == "watch" && !request.Streams()):
		// A watch at a version that is not reached yet is accepted, and silent.
		return nil
	case versionOf(request.Query) > s.store.version:
		return tooLarge(versionOf(request.Query), s.store.version)
	default:
		return nil
	}
}

func scope(namespace string) string {
	if namespace == "" {
		return "at the cluster scope"
	}
	return fmt.Sprintf("in the namespace %q", namespace)
}

// tooLarge returns NewTooLargeResourceVersionError of apiserver/pkg/storage (v1.37).
func tooLarge(asked, current int64) *apierrors.StatusError {
	err := apierrors.NewTimeoutError(fmt.Sprintf("Too large resource version: %d, current: %d", asked, current), 1)
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: metav1.CauseTypeResourceVersionTooLarge, Message: "Too large resource version"}}
	return err
}

func versionOf(query url.Values) int64 {
	version, err := strconv.ParseInt(query.Get("resourceVersion"), 10, 64)
	if err != nil {
		return 0
	}
	return version
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, refusal *apierrors.StatusError) {
	status := refusal.Status()
	s.check(s.codec.write(w, r, int(status.Code), schema.GroupVersion{Version: "v1"}, &status))
}

func (s *Server) get(w http.ResponseWriter, r *http.Request, request Request, resource served, name string) {
	s.mu.Lock()
	object := s.store.objects[request.Resource][request.Namespace+"/"+name]
	s.mu.Unlock()
	if object == nil {
		s.refuse(w, r, apierrors.NewNotFound(schema.GroupResource{Group: resource.version.Group, Resource: request.Resource}, name))
		return
	}
	s.check(s.codec.write(w, r, http.StatusOK, resource.version, object))
}

// document responds with what Serve was given.
func (s *Server) document(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	document := s.documents[r.URL.Path]
	s.mu.Unlock()
	if document == nil {
		http.NotFound(w, r)
		return
	}
	body, err := json.Marshal(document)
	s.check(err)
	w.Header().Set("Content-Type", runtime.ContentTypeJSON)
	_, _ = w.Write(body)
}

func (s *Server) list(w http.ResponseWriter, r *http.Request, request Request, resource served, selected selection) {
	s.mu.Lock()
	found, version, compacted := s.store.list(request.Resource, selected), s.store.version, s.store.compacted
	s.mu.Unlock()
	after, err := parseToken(request.Query.Get("continue"), version)
	if err != nil {
		s.refuse(w, r, apierrors.NewBadRequest(err.Error()))
		return
	}
	if after.version < compacted && after.key != "" {
		s.refuse(w, r, apierrors.NewResourceExpired("The provided continue parameter is too old"))
		return
	}
	found, next := page(found, request, after)
	list := resource.list()
	objects := make([]runtime.Object, 0, len(found))
	for _, object := range found {
		objects = append(objects, object)
	}
	s.check(meta.SetList(list, objects))
	if accessor, err := meta.ListAccessor(list); err != nil {
		s.check(err)
	} else {
		accessor.SetResourceVersion(strconv.FormatInt(after.version, 10))
		accessor.SetContinue(next)
	}
	s.check(s.codec.write(w, r, http.StatusOK, resource.version, list))
}

// token is where the next page of a list begins: the version of the list, and the key of
// the last object.
type token struct {
	version int64
	key     string
}

// parseToken returns the token of a request; without a key for the first page.
func parseToken(text string, version int64) (token, error) {
	if text == "" {
		return token{version: version}, nil
	}
	number, key, _ := strings.Cut(text, ":")
	parsed, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return token{}, fmt.Errorf("continue token %q: %w", text, err)
	}
	return token{parsed, key}, nil
}

// page returns the objects of one page of a list in the order of their names, and the
// token of the next page.
func page(found []Object, request Request, after token) (objects []Object, next string) {
	if after.key != "" {
		found = slices.DeleteFunc(found, func(object Object) bool { return keyOf(object) <= after.key })
	}
	limit, err := strconv.Atoi(request.Query.Get("limit"))
	if err != nil || limit == 0 || len(found) <= limit {
		return found, ""
	}
	return found[:limit], fmt.Sprintf("%d:%s", after.version, keyOf(found[limit-1]))
}

// check fails the test with an error that only a bug in this package, or in the
// test's objects, can cause.
func (s *Server) check(err error) {
	if err != nil {
		s.t.Errorf("API server: %v", err)
	}
}
