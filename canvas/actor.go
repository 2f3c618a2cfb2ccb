package canvas

import (
	"fmt"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/migrations"
)

// Kind describes images to the actor runtime. The companion is what receives
// what an image publishes; nil: none.
func Kind(o Options, companion func(actors.Key) actors.Companion) (actors.Kind, error) {
	scripts, err := migrations.Image()
	if err != nil {
		return actors.Kind{}, err
	}
	schema, err := actors.NewSchema(KindName, scripts)
	if err != nil {
		return actors.Kind{}, fmt.Errorf("make schema of images: %w", err)
	}
	return actors.Kind{
		Name:         KindName,
		Schema:       schema,
		New:          func(key actors.Key) actors.Behavior { return behavior{New(key, o)} },
		NewCompanion: companion,
		Births:       Births,
		BornAsleep:   true,
	}, nil
}

// Births reports whether m may bring an image to life.
func Births(m actors.Message) bool {
	_, ok := m.(Birth)
	return ok
}

// behavior lends a State the runtime's turns.
type behavior struct{ state *State }

var _ actors.Behavior = behavior{}

// Start implements actors.Behavior.
func (b behavior) Start(t *actors.Turn) error { return b.state.Start(t) }

// Receive implements actors.Behavior.
func (b behavior) Receive(t *actors.Turn, m actors.Message) (actors.Message, error) {
	return b.state.Receive(t, m)
}

// Alarm implements actors.Behavior.
func (b behavior) Alarm(t *actors.Turn, name string) error { return b.state.Alarm(t, name) }

// Prototypes returns one value of every message type that crosses nodes or is
// stored as a verdict.
func Prototypes() []actors.Message {
	return []actors.Message{
		Empty{},
		Birth{},
		Look{},
		ImageReply{},
		Amend{},
		SoftDelete{},
		Restore{},
		Apply{},
		Applied{},
		Hello{},
		HelloReply{},
		List{},
		Listing{},
		One{},
		OneReply{},
		Log{},
		LogReply{},
		Page{},
		PageReply{},
		Say{},
		Said{},
		Messages{},
		MessagesReply{},
		Prepare{},
		Decide{},
		Probed{},
		WantTiles{},
		Tiled{},
		Synced{},
		Purge{},
		Judge{},
		Judged{},
		Accepted{},
		ImageChanged{},
		Chatted{},
		Replaced{},
		Locate{},
		Located{},
		BeginRevert{},
		RevertBegun{},
		Revert{},
		Archived{},
		Forgotten{},
	}
}
