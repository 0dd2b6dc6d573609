// Package apiserver is an API server for tests: it keeps nodes, pods, DaemonSets,
// ControllerRevisions and leases in memory and serves lists and watches over real connections, in
// protobuf and JSON, with streamed lists, bookmarks, selectors, compaction and the
// errors of a real one. Tests control it: they change objects, break connections,
// stop it, restore an older state, revoke permissions, answer some requests themselves.
//
// Objects are stored without defaults or validation. The pages of a list are of the
// present state, not of that of the first one.
package apiserver
