// Package gallery is the work that spans several actors and blobs: uploads, bulks
// over several images, tenants' files, thumbnails, and the chores that remove what
// nobody needs any more.
//
// Each piece is a saga that runs on its caller's goroutine and may end between
// any two of its steps, with the process. What it leaves half-made is finished or
// cleared by somebody durable: the tenant's alarms clear reservations and re-tell
// the outcome of bulks, and the chores delete blobs that no row names.
//
// # Rules
//
//   - A blob is stored before a row names it, and deleted after no row names it.
//   - Keys of blobs are never used twice: t/<tenant>/i/<image>/original and
//     thumb-<size>-sealed and tiles, t/<tenant>/f/<random>. Objects of history, hist-<name> beside
//     the original, are named by their content.
//   - No byte of a blob leaves before its block is known to be what was stored: by
//     the checksums in its row, in front of a thumbnail, or behind the tiles.
//   - Nothing is held whole in memory: bodies stream into the store.
//
// # Concurrency
//
// A Gallery may be used by many goroutines. It starts none that outlives the call.
package gallery
