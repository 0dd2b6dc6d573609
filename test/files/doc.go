// Package files tests what the program makes of the files of large clusters, and of files
// that are none: the memory that it takes. Times are printed.
package files
