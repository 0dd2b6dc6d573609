// Package informers is the only one that talks to the API server. It watches
// nodes, pods and DaemonSets, reduces each object to a record while it is
// decoded, and hands every change to a Handler.
//
// On the way of an event: source asks the API server (streamed lists where it
// can) and passes the watch on through a tap, which notes signs of life;
// client-go's reflector puts what arrives through the reducing transform of
// the resource's kind into a shared informer; delivery hands the informer's
// notifications to the Handler, one at a time per resource. Health and logs are
// fed by source and tap, where all failures pass.
package informers
