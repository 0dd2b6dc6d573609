// Package upstream compares what the exporter decides with Kubernetes' own code.
package upstream
