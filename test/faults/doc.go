// Package faults shows the exporter's binary a bad hour of the API server: every way in
// which a request can fail, before a world whose truth is known. Its tests check what
// is sent to the API server meanwhile, how much memory that takes, that nothing false is
// served, and how long it takes until all is right again. docs/reliability.md is their
// result.
//
// The short form plays each fault for seconds, the long form (make test-faults) for a
// minute; with ARGS=-update it writes the page.
package faults
