// Package apiserver is an API server for tests: it keeps nodes, pods, DaemonSets
// and leases in memory and serves lists and watches over real connections, in
// protobuf and JSON, with streamed lists, bookmarks, selectors, compaction and the
// errors of a real one. Tests control it: they change objects, break connections,
// stop it, restore an older state, revoke permissions.
//
// Objects are stored without defaults or validation. There are no pages: a list is
// always whole.
package apiserver
