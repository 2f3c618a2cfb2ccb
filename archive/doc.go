// Package archive handles data as files: an image as a SQLite file for whoever may
// read it, a whole tenant as a folder or a tar of plain files that moves between
// stores, a store that is checked object by object, and a tenant that is erased.
//
// # What it promises
//
//   - What is exported of an actor is its file at one moment, with everything that
//     was durable before. Of a home that nodes write meanwhile, different actors may
//     be of different moments; Export notices what does not fit together.
//   - Parts are named in a manifest by their SHA-256. What is there already is not
//     moved again, so whatever was interrupted goes on when it is started again.
//   - Checking and exporting change nothing. Importing never overwrites a tenant.
//   - Blobs are found by listing what lies below the tenant's id, whatever their
//     kind.
//
// # Concurrency
//
// A Copies and an Eraser may be used by many goroutines. Export, Import and Verify
// are work of one goroutine, and nothing of them outlives a call. A Copies keeps files
// open for a minute, and ends what it has begun for a call that was given up.
//
// # What it does not do
//
// It serves no requests and decides no permissions; it knows histories, files and
// blobs, and of tenants and images only what packages tenant and canvas tell of
// their files.
package archive
