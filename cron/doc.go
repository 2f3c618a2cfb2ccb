// Package cron runs jobs by a schedule: each once in the whole cluster, also
// across crashes, restarts and moves.
//
// Each job is a durable actor that knows when it is due. Its alarm wakes it on
// whatever node owns it then; the work runs there, outside the actor's turn, and
// goes on there when the actor moves. While it runs it extends a lease, wherever the
// actor is, so that a job whose node dies is begun again by the node that has the
// actor then. A node that stops says so, and the job is begun again at once.
//
// A run that was due while nothing ran is made up for once, at the next start. A
// job may run twice, and in rare cases at the same time (its node is believed to be
// dead and is not), so it must be written for that.
package cron
