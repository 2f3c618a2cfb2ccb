package canvas_test

import (
	"context"
	"errors"
	"testing"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/canvas"
)

func TestTilesAreMadeOnceTheImageIsKnownToBeLarge(t *testing.T) {
	unavailable := &easel.Error{Code: easel.CodeUnavailable, Message: "later"}
	corrupt := &easel.Error{Code: easel.CodeUnsupportedMedia, Message: "never"}
	for _, tt := range []struct {
		name    string
		width   int
		results []error
	}{
		{"small", 2048, nil},
		{"large", 2049, []error{nil}},
		{"after two tries", 5000, []error{unavailable, errors.New("a bug"), nil}},
		{"never", 5000, []error{corrupt}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tries := 0
			w := born(t, canvas.Options{TileOver: 2048, Tile: func(_ context.Context, owns easel.TenantID, id easel.ID) error {
				if owns != owner || id != image {
					t.Errorf("tiles of %s/%s", owns, id)
				}
				tries++
				return tt.results[tries-1]
			}})
			if w.must(canvas.WantTiles{}); len(w.alarms) > 0 && !w.alarms["tiles"].IsZero() {
				t.Error("tiles of an image whose size is not known")
			}
			w.must(canvas.Probed{Width: tt.width, Height: 3})
			for i := range tt.results {
				due, ok := w.alarms["tiles"]
				if !ok {
					t.Fatal("no alarm")
				}
				if w.must(canvas.WantTiles{}); !w.alarms["tiles"].Equal(due) {
					t.Error("who asks meanwhile changes the alarm")
				}
				if i > 0 { // a crash forgets nothing
					w.restart()
				}
				w.fire(due)
				w.finish()
			}
			if tries != len(tt.results) {
				t.Errorf("%d tries, want %d", tries, len(tt.results))
			}
			if due, ok := w.alarms["tiles"]; ok {
				t.Errorf("the alarm is still set, for %v", due)
			}
		})
	}
}

func TestWhoMissesTilesHasThemMadeAgain(t *testing.T) {
	tries := 0
	w := born(t, canvas.Options{TileOver: 2048, Tile: func(context.Context, easel.TenantID, easel.ID) error {
		tries++
		return nil
	}})
	w.must(canvas.Probed{Width: 3, Height: 3000})
	for range 2 {
		w.fire(w.alarms["tiles"])
		w.finish()
		w.must(canvas.WantTiles{})
	}
	if tries != 2 || w.alarms["tiles"].IsZero() {
		t.Errorf("%d tries, alarm for %v", tries, w.alarms["tiles"])
	}
	w.must(canvas.SoftDelete{By: ann})
	w.fails(canvas.WantTiles{}, easel.CodeGone)
}
