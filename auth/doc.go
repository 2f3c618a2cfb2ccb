// Package auth turns a credential into an easel.Principal: a JWT, a service key
// or a ticket.
//
// A principal's tenant is always the one that its credential names, as a hash
// (TenantID), so that whatever is asked for by id is looked for inside that
// tenant and nowhere else. What is wrong with a credential is not told to its
// bearer: every refusal is CodeUnauthorized.
//
// # Concurrency
//
// An Authenticator may be used by many goroutines at once. Its caches are
// bounded: verified tokens (at most a minute), service keys (at most half a
// second, so that a revoked key stops working within a second, and at once on the
// node that revoked it), and members that were recorded.
//
// It does not decide who may do what: roles are the transports' and the actors'
// business.
package auth
