package tenant

import (
	"fmt"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
)

// Turn is what a State needs of a turn; *actors.Turn is one.
type Turn interface {
	Key() actors.Key
	Now() time.Time
	From() actors.Ref
	Tx() *sqlite.Tx
	Tell(r actors.Request)
	SetAlarm(name string, due time.Time)
}

// Options bound what a tenant may hold and for how long things are kept. A zero
// field means the default that its comment names.
type Options struct {
	MaxImages int64 // 1,000,000
	MaxBytes  int64 // of images, files and values; 100 GiB

	ReserveFor time.Duration // until a reservation is cleared; 1 h
	ClaimFor   time.Duration // a claim's lease; 15 s
	DropAfter  time.Duration // from the moment no row names a blob until it may be deleted; 10 min
}

func (o Options) withDefaults() Options {
	o.MaxImages = or(o.MaxImages, 1_000_000)
	o.MaxBytes = or(o.MaxBytes, 100<<30)
	o.ReserveFor = or(o.ReserveFor, time.Hour)
	o.ClaimFor = or(o.ClaimFor, 15*time.Second)
	o.DropAfter = or(o.DropAfter, 10*time.Minute)
	return o
}

func or[T int64 | time.Duration](v, fallback T) T {
	if v == 0 {
		return fallback
	}
	return v
}

// Names of a tenant's alarms.
const (
	alarmReservations = "reservations" // clears half-made images
	alarmKV           = "kv"           // removes expired values
	alarmBulks        = "bulks"        // tells images how bulks ended
	alarmTidy         = "tidy"         // forgets old claims and bulks
)

// State is one tenant's state machine. All it knows is in the turn's file, so it
// has nothing to undo when a turn fails.
type State struct{ o Options }

// New returns the state machine of a tenant.
func New(o Options) *State { return &State{o: o.withDefaults()} }

// Receive handles one of this package's messages. Errors that a client may see
// are *easel.Error, and mean that nothing was changed once the turn is undone.
func (s *State) Receive(t Turn, m actors.Message) (actors.Message, error) {
	switch m := m.(type) {
	case Seen:
		return s.seen(t, m)
	case Member:
		return s.member(t, m)
	case Usage:
		return s.usage(t)
	case Reserve:
		return s.reserve(t, m)
	case Ready:
		return s.ready(t, m)
	case Abandon:
		return s.abandon(t, m)
	case Images:
		return s.images(t, m)
	case ImageProgress:
		return s.countProgress(t, m)
	case Row:
		return Empty{}, s.row(t, m)
	case Sync:
		return s.sync(t, m)
	case Expired:
		return s.expired(t, m)
	case Purged:
		return s.purged(t, m)
	case Claim:
		return s.claim(t, m)
	case Settle:
		return Empty{}, s.settle(t, m)
	case Decide:
		return s.decide(t, m)
	case Outcome:
		return s.outcome(t, m)
	case Confirm:
		return s.confirm(t, m)
	default:
		return s.receiveStore(t, m)
	}
}

// receiveStore handles what is about values, files and keys.
func (s *State) receiveStore(t Turn, m actors.Message) (actors.Message, error) {
	switch m := m.(type) {
	case KVPut:
		return s.kvPut(t, m)
	case KVGet:
		return s.kvGet(t, m)
	case KVDelete:
		return s.kvDelete(t, m)
	case KVList:
		return s.kvList(t, m)
	case FilePut:
		return s.filePut(t, m)
	case FileCheck:
		return s.fileCheck(t, m)
	case FileGet:
		return s.fileGet(t, m)
	case FileDelete:
		return s.fileDelete(t, m)
	case FileList:
		return s.fileList(t, m)
	case Drops:
		return s.drops(t, m)
	case Dropped:
		return s.dropped(t, m)
	case Sweep:
		return s.sweep(t, m)
	case KeyCreate:
		return s.keyCreate(t, m)
	case KeyList:
		return s.keyList(t, m)
	case KeyDelete:
		return s.keyDelete(t, m)
	case KeyCheck:
		return s.keyCheck(t, m)
	case Schema:
		return s.schema(t, m)
	case SchemaPut:
		return s.schemaPut(t, m)
	case SchemaVersions:
		return s.schemaVersions(t)
	default:
		return nil, fmt.Errorf("tenant: message %s is not for a tenant", m.MessageName())
	}
}

// Alarm handles an alarm that Receive or Alarm has set. One that comes without
// need changes nothing.
func (s *State) Alarm(t Turn, name string) error {
	switch name {
	case alarmReservations:
		return s.clearReservations(t)
	case alarmKV:
		return s.expireValues(t)
	case alarmBulks:
		return s.tellVerdicts(t)
	case alarmTidy:
		return s.tidy(t)
	default:
		return nil // of an older binary
	}
}

// later returns the turn's time plus d.
func later(t Turn, d time.Duration) easel.Time { return easel.At(t.Now().Add(d)) }
