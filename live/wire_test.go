package live_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/cron"
	"github.com/easelhq/easel/live"
	"github.com/easelhq/easel/tenant"
)

func prototypes() []actors.Message {
	return slices.Concat(canvas.Prototypes(), tenant.Prototypes(), live.Prototypes(), cron.Prototypes())
}

// TestEveryMessageCrossesNodesUnchanged fills every message type at random and
// takes it through the codec.
func TestEveryMessageCrossesNodesUnchanged(t *testing.T) {
	codec, err := actors.NewCodec(prototypes()...)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, p := range prototypes() {
		t.Run(p.MessageName(), func(t *testing.T) {
			for range 200 {
				v := reflect.New(reflect.TypeOf(p)).Elem()
				fill(t, rng, v)
				m := v.Interface().(actors.Message)
				if a, ok := m.(canvas.Accepted); ok {
					a.Encoded, _ = json.Marshal(a.Batch)
					m = a
				}
				name, body, err := codec.Encode(m)
				if err != nil {
					t.Fatal(err)
				}
				back, err := codec.Decode(name, body)
				if err != nil {
					t.Fatalf("%s: %v", body, err)
				}
				if diff := cmp.Diff(m, back, cmpopts.EquateEmpty(), cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
					t.Fatalf("as %s (-sent +received):\n%s", body, diff)
				}
			}
		})
	}
}

// fill sets v to something random that its type may hold.
func fill(t *testing.T, rng *rand.Rand, v reflect.Value) {
	t.Helper()
	switch v.Interface().(type) {
	case json.RawMessage:
		v.SetBytes([]byte(fmt.Sprintf(`{"<&>":%d}`, rng.IntN(100))))
		return
	case easel.Attributes:
		v.SetString([]string{"", `{"a":"b","c":1.5,"d":true}`}[rng.IntN(2)])
		return
	case easel.Shape:
		v.SetString([]string{"", `{"type":"tag"}`}[rng.IntN(2)])
		return
	case easel.Time:
		v.SetInt(rng.Int64N(4e12))
		return
	case easel.Role:
		roles := []easel.Role{easel.Viewer, easel.Annotator, easel.Admin, easel.Owner}
		v.Set(reflect.ValueOf(roles[rng.IntN(len(roles))]))
		return
	case *easel.Error:
		if rng.IntN(2) == 0 {
			return
		}
		e := &easel.Error{}
		fill(t, rng, reflect.ValueOf(e).Elem())
		e.Err = nil // the cause is for the log of where it happened
		v.Set(reflect.ValueOf(e))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				t.Fatalf("%s.%s is not exported and would be lost", v.Type(), f.Name)
			}
			if f.Type.Kind() == reflect.Interface {
				continue // only easel.Error has one
			}
			fill(t, rng, v.Field(i))
		}
	case reflect.Pointer:
		if rng.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, rng, v.Elem())
		}
	case reflect.Slice:
		n := rng.IntN(3)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(t, rng, v.Index(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(t, rng, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range rng.IntN(3) {
			k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(t, rng, k)
			fill(t, rng, e)
			v.SetMapIndex(k, e)
		}
	case reflect.String:
		v.SetString([]string{"", "a", "ä<&>\u2028\"\\", "0123456789abcdef0123456789abcdef"}[rng.IntN(4)])
	case reflect.Bool:
		v.SetBool(rng.IntN(2) == 0)
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(rng.Int64N(1<<53) - 1<<52)
	case reflect.Uint8, reflect.Uint64, reflect.Uint32, reflect.Uint:
		v.SetUint(rng.Uint64N(200))
	case reflect.Float64:
		v.SetFloat(rng.NormFloat64())
	default:
		t.Fatalf("%s: nobody has thought of how that crosses nodes", v.Type())
	}
}

// TestRepeatsOfEveryMessageHaveOneEffect says for each type that is asked why it
// may be repeated. A type that is missing here is new: if handling it twice, also
// late and after others, is the same as once, it implements actors.Idempotent; if
// not, or if nobody asks it, its name belongs into one of the lists.
func TestRepeatsOfEveryMessageHaveOneEffect(t *testing.T) {
	underOnce := []string{ // the runtime gives each ask an id, and the actor stores its verdict
		"canvas.amend", "canvas.soft_delete", "canvas.restore", "canvas.say", "canvas.revert", "canvas.judge",
		"tenant.claim", "tenant.kv_put", "tenant.kv_delete", "tenant.file_put", "tenant.file_delete",
		"tenant.key_create", "tenant.key_delete", "tenant.schema_put",
		"canvas.apply", // without a client
	}
	told := []string{ // at most once, and repeated by an alarm or not at all
		"canvas.accepted", "canvas.image_changed", "canvas.chatted", "canvas.replaced",
		"canvas.probed", "canvas.tiled", "canvas.synced", "canvas.archived", "canvas.forgotten",
		"tenant.synced", "tenant.verdict",
		"live.census", "live.people", "live.moved", "live.arrival",
	}
	answers := []string{ // and all whose names end with "_reply"
		"canvas.empty", "canvas.applied", "canvas.listing", "canvas.said", "canvas.located", "canvas.revert_begun",
		"canvas.judged",
		"tenant.empty", "tenant.abandoned", "tenant.claimed", "tenant.decision", "tenant.kv_stored", "tenant.kv_value",
		"tenant.key_created",
		"live.attached", "cron.state",
	}
	others := slices.Concat(underOnce, told, answers)
	for _, p := range prototypes() {
		name := p.MessageName()
		i, ok := p.(actors.Idempotent)
		switch listed := slices.Contains(others, name) || strings.HasSuffix(name, "_reply"); {
		case ok && i.Idempotent() && listed:
			t.Errorf("%s is declared idempotent and listed as something else", name)
		case !ok && !listed:
			t.Errorf("%s: say whether it may be repeated", name)
		}
	}
	if !(canvas.Apply{Client: "c"}).Idempotent() {
		t.Error("an Apply with a client's seq needs no verdict besides its own")
	}
	if (canvas.Hello{By: canvas.Author{Role: easel.Annotator}}).Idempotent() {
		t.Error("a hello that comes late would end the client's next connection")
	}
}
