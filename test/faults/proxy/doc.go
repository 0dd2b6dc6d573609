// Package proxy is an HTTP proxy before an API server that can be told to fail in the
// ways in which API servers, and proxies before them, fail.
package proxy
