// Package cron runs jobs by a schedule: each once in the whole cluster, also
// across crashes, restarts and moves.
//
// Each job is a durable actor that knows when it is due. Its alarm wakes it on
// whatever node owns it then; the work runs there, outside the actor's turn. While
// it runs the alarm is set a lease ahead, so that a job whose node dies is begun
// again by the node that takes the actor over.
//
// A run that was due while nothing ran is made up for once, at the next start. A
// job may run twice, and in rare cases at the same time (its node is believed to be
// dead and is not), so it must be written for that.
package cron
