// Package slim holds trimmed Kubernetes objects: the few fields that the
// exporter's rules read, under the API's names, in a few hundred bytes, where the
// object itself takes several kilobytes.
//
// Slim objects are created once, by FromPod, FromNode and FromDaemonSet, while
// the API server's response is decoded, and are never changed afterwards. The
// informer caches and the ledger share them. The functions are total: an object
// with missing or absurd fields is trimmed without an error and without a panic.
package slim
