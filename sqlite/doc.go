// Package sqlite opens one actor's file: a single raw connection with cached
// statements, in exclusive WAL mode, from which the pages that each commit
// changed can be captured.
//
// The file is a working copy, a cache of what the journal keeps: it is written
// without any sync, and after an unclean stop it is deleted and restored.
//
// Capture returns every page that a commit changed, or an error that is final:
// never less. DESIGN.md says how.
//
// # Concurrency
//
// A DB belongs to one goroutine at a time, with happens-before between them; it
// has no lock, and starts no goroutine. It uses two file descriptors. A Schema
// may be shared.
//
// This is the only package that imports modernc.org/sqlite.
package sqlite
