// Package files tests what the program makes of the files of large clusters, and of files
// that are none: how long it takes, and how much memory.
package files
