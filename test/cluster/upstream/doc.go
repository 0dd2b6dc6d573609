// Package upstream compares decisions of the exporter with those of Kubernetes' code.
package upstream
