// Package blob stores objects: image files, tenants' files and, on S3, the
// objects of the actors' journals.
//
// Store is one contract (blobtest.Run) with several homes: Dir, a folder; S3,
// any S3-compatible bucket with conditional writes (the only importer of
// minio-go); Faulty, a twin that fails on purpose, for tests.
//
// # Concurrency
//
// Stores may be used by many goroutines at once. A reader sees an object whole
// or not at all. When a write returns nil it survives a crash of the machine.
package blob
