// Package tenant is one tenant's turn: its members, the index of its images, its
// KV values, the rows of its files, its service keys and quotas, and the
// outcomes of bulks that span several images.
//
// Images are born here and nowhere else: Reserve holds an id and quota, the blob
// is stored, the image's actor is born, Ready lists it. What the index shows of
// an image afterwards (counts, labels, deletion) follows from the image's own
// outbox (Sync).
//
// # Concurrency
//
// State is a plain value that one goroutine uses at a time, inside a turn: no
// lock, no goroutine, no network, and no clock but the turn's. Logic takes the
// small interface Turn, so that it runs in tests on a SQLite file alone; Kind
// makes an actor of it.
//
// # What it does not do
//
// It touches no blob and sends images nothing but Verdict and Synced: sagas that
// span actors and blobs are package gallery's. It knows nothing of tokens: roles
// arrive in Author, verified by the edge.
package tenant
