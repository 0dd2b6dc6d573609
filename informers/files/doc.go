// Package files brings objects in from files. Of recordings, which hold what watches
// brought, a RecordingReader reads the events, a Player plays them to exporters, and a
// RecordingWriter writes them.
package files
