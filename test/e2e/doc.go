// Package e2e holds the stories that the exporter is for, played on a real
// control plane with the real binary, scraped over HTTP. Each test is a story
// with a name; what must be seen is worked out from what the test did to the
// cluster and from the clock that the test itself kept.
package e2e
