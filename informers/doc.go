// Package informers is the only package that brings objects in from the API
// server. It watches nodes, pods and DaemonSets, trims each object while it is
// decoded, and hands every change to a Handler. Leases and
// ControllerRevisions are read on demand.
//
// The way of an event: listWatch asks the API server (for a streamed list where
// the server can) and returns a monitoredWatch, which notes signs of life;
// client-go's reflector passes what arrives through the resource's transform
// into a shared informer; an eventHandler passes the informer's notifications
// to the Handler, one at a time per resource. All failures of requests and
// watches pass through listWatch, which feeds Health and the log.
package informers
