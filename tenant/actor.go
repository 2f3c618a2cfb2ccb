package tenant

import (
	"fmt"

	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/migrations"
)

// Kind describes tenants to the actor runtime.
func Kind(o Options) (actors.Kind, error) {
	scripts, err := migrations.Tenant()
	if err != nil {
		return actors.Kind{}, err
	}
	schema, err := actors.NewSchema(KindName, scripts)
	if err != nil {
		return actors.Kind{}, fmt.Errorf("schema of tenants: %w", err)
	}
	return actors.Kind{
		Name:   KindName,
		Schema: schema,
		New:    func(actors.Key) actors.Behavior { return behavior{state: New(o)} },
		Births: Births,
	}, nil
}

// behavior fits a State to the runtime.
type behavior struct{ state *State }

func (behavior) Start(*actors.Turn) error { return nil }

func (b behavior) Receive(t *actors.Turn, m actors.Message) (actors.Message, error) {
	return b.state.Receive(t, m)
}

func (b behavior) Alarm(t *actors.Turn, name string) error { return b.state.Alarm(t, name) }

// Prototypes returns one value of every type that tenants are sent, answer or
// send, for the runtime to know them by name.
func Prototypes() []actors.Message {
	return []actors.Message{
		Empty{},
		Seen{},
		Member{},
		MemberReply{},
		Usage{},
		UsageReply{},
		Reserve{},
		Ready{},
		Abandon{},
		Abandoned{},
		Images{},
		ImagesReply{},
		ImageProgress{},
		ImageProgressReply{},
		Row{},
		Sync{},
		Synced{},
		Expired{},
		ExpiredReply{},
		Purged{},
		Claim{},
		Claimed{},
		Settle{},
		Decide{},
		Decision{},
		Outcome{},
		Verdict{},
		Confirm{},
		KVPut{},
		KVStored{},
		KVGet{},
		KVValue{},
		KVDelete{},
		KVList{},
		KVListReply{},
		FilePut{},
		FileCheck{},
		FileGet{},
		FileReply{},
		FileDelete{},
		FileList{},
		FileListReply{},
		Drops{},
		DropsReply{},
		Dropped{},
		Sweep{},
		SweepReply{},
		KeyCreate{},
		KeyCreated{},
		KeyList{},
		KeyListReply{},
		KeyDelete{},
		KeyCheck{},
		KeyReply{},
		Schema{},
		SchemaPut{},
		SchemaReply{},
		SchemaVersions{},
		SchemaVersionsReply{},
	}
}
