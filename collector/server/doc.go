// Package server serves the collector over HTTP: the metrics under the
// telemetry path, liveness and readiness, a landing page and, if enabled,
// profiles of the Go runtime. It decides about paths, formats and limits;
// listening, TLS and passwords are exporter-toolkit's. Where Kubernetes decides who may
// look, the gate of auth.go asks the API server before everything but the probes.
//
// A scrape goes from the mux of server.go to the handler of metrics.go, which
// gathers the registry in which the collector is registered. Readiness asks the
// informers and nothing else.
package server
