// Package cli has the subcommands: what people and pipelines ask the exporter for, one
// file each. They read with the caller's own rights, and write nothing to a cluster.
package cli
