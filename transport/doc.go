// Package transport is Easel's HTTP edge: every route, its documentation, its
// errors and its limits.
//
// One table (Routes) declares each route: method, path, who may call it, what it
// takes and what it answers. From it come the mux, the decoding and checking of
// bodies, the role checks, /openapi.json, /docs and the tables in docs/. A
// handler gets a call, in which authentication and authorisation have happened,
// and returns an error or writes an answer.
//
// # Guarantees
//
//   - Every answer has an X-Request-Id, every error is the same JSON, and a
//     failure that is not an *easel.Error is CodeInternal: its text stays in the
//     log.
//   - An image is looked for in the tenant of the credential, never by its id
//     alone, so another tenant's image does not exist.
//   - JSON bodies and uploads are bounded before they are read; uploads and files
//     stream and are never held whole.
//   - Credentials are never logged: a request's line has its route's pattern, not
//     its URL.
//
// # Concurrency
//
// An API may be used by many goroutines. It starts none.
//
// WebSocket sessions and event streams are other packages' work; they are passed
// in as functions and get an authenticated principal.
package transport
