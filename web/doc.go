// Package web is the page that every node serves at "/", and the photographs
// that a demonstration starts with, both embedded in the binary.
//
// The page is TypeScript under src, built by Vite into dist, which is committed
// so that building Easel needs no Node.js. "npm ci && npm run build" in this
// folder makes it anew; a test fails when dist is older than its sources.
//
// # Concurrency
//
// The handler may be used by many goroutines at once and starts none.
//
// What it does not do: it answers nothing but the page's own files. Where the
// user is inside the page is kept behind the address's "#", which no server
// ever sees.
package web
