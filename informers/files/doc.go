// Package files brings objects in from files. Dumps and bundles: what kubectl get and
// kubectl cluster-info dump print, support bundles of troubleshoot.sh, an OpenShift
// must-gather. They are read as a stream, object by object: half a gigabyte takes no more
// memory than the slim objects in it. Read yields what it finds, Load keeps it as a
// Snapshot.
//
// Of recordings, which hold what watches brought, a RecordingReader reads the events, a
// Player plays them to exporters, and a RecordingWriter writes them.
package files
