package cron

import (
	"github.com/easelhq/easel/actors"
)

// KindName is the actor kind of jobs.
const KindName = "cron"

// Key returns the key of a job's actor.
func Key(job string) actors.Key { return actors.Key{Kind: KindName, ID: job} }

// Arm tells a job its schedule, and brings it to life. Every node says it at its
// start; one that says nothing new changes nothing. Answer: State.
type Arm struct {
	Schedule string `json:"schedule"` // five fields, or @daily and the like; UTC; "": never
}

// Look asks for the State of a job.
type Look struct{}

// State is what is known of a job. Times are milliseconds since 1970, 0 for none.
type State struct {
	Schedule string `json:"schedule"`
	Next     int64  `json:"next"`  // when it is due; while it runs, when it was
	Run      int64  `json:"run"`   // how often it was begun
	Began    int64  `json:"began"` // the newest run
	Ended    int64  `json:"ended"` // the newest run that ended
	Failure  string `json:"failure,omitempty"`
}

// ended tells the job that a run of it is over.
type ended struct {
	Run     int64  `json:"run"`
	Failure string `json:"failure,omitempty"`
}

// alive tells the job that a run of it goes on, wherever its actor is by now.
// CodeConflict: it was begun again.
type alive struct {
	Run int64 `json:"run"`
}

// yielded tells the job that a run of it was cut off because its node stops.
type yielded struct {
	Run int64 `json:"run"`
}

// MessageName implements actors.Message.
func (Arm) MessageName() string { return "cron.arm" }

// MessageName implements actors.Message.
func (Look) MessageName() string { return "cron.look" }

// MessageName implements actors.Message.
func (State) MessageName() string { return "cron.state" }

// MessageName implements actors.Message.
func (ended) MessageName() string { return "cron.ended" }

// MessageName implements actors.Message.
func (alive) MessageName() string { return "cron.alive" }

// MessageName implements actors.Message.
func (yielded) MessageName() string { return "cron.yielded" }

// Idempotent says that a lease that is extended twice is extended.
func (alive) Idempotent() bool { return true }

// Idempotent says that a run is begun again once.
func (yielded) Idempotent() bool { return true }

// Idempotent says that saying it twice is saying it once.
func (Arm) Idempotent() bool { return true }

// Idempotent says that a look changes nothing.
func (Look) Idempotent() bool { return true }

// Idempotent says that a run ends once.
func (ended) Idempotent() bool { return true }

// Prototypes returns one value of every message type that crosses nodes.
func Prototypes() []actors.Message {
	return []actors.Message{Arm{}, Look{}, State{}, ended{}, alive{}, yielded{}}
}
