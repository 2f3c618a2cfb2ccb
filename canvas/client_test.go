package canvas_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
)

func TestASeqTakesEffectOnce(t *testing.T) {
	w := born(t, canvas.Options{})
	first := frame(ann, 1, put(id(1), "a"), put("", "b"))
	want := w.must(first).(canvas.Applied)
	if want.Ver != 1 || len(want.Results) != 2 || want.Rejected != nil {
		t.Fatalf("got %+v", want)
	}
	w.must(write(bob, relabel(id(1), "c"))) // what happened since does not matter
	w.take()
	for range 2 {
		if diff := cmp.Diff(want, w.must(first)); diff != "" {
			t.Error(diff)
		}
		w.restart()
	}
	if n := len(w.take()); n != 0 {
		t.Errorf("a repeat published %d", n)
	}

	w.fails(frame(ann, 1, put(id(1), "other")), easel.CodeConflict)
	if e := w.fails(frame(ann, 3, put(id(3), "a")), easel.CodeBadSeq); e.Expected != 2 {
		t.Errorf("expected %d, want 2", e.Expected)
	}
	if e := w.fails(frame(bob, 2, put(id(3), "a")), easel.CodeBadSeq); e.Expected != 1 {
		t.Errorf("another user's client of the same name: expected %d, want 1", e.Expected)
	}
	w.must(frame(ann, 2, put(id(3), "a")))
	w.must(frame(bob, 1, put(id(4), "a")))
}

func TestAPermanentRejectionConsumesTheSeq(t *testing.T) {
	refused := easel.Invalid("ops[0].annotation.x", "must be from 0 to 1")
	for _, tc := range []struct {
		name string
		m    canvas.Apply
		code easel.Code
	}{
		{"by a rule", frame(ann, 1, del(id(9))), easel.CodeNotFound},
		{"by the role", frame(vera, 1, put("", "a")), easel.CodeForbidden},
		{"by the edge", canvas.Apply{By: ann, Client: "tab", Seq: 1, Hash: "h", Refused: refused}, easel.CodeInvalid},
		{"with the state that it met", frame(ann, 1, based(relabel(id(1), "b"), 7)), easel.CodeConflict},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := born(t, canvas.Options{})
			w.must(write(bob, put(id(1), "a")))
			w.take()
			want := w.must(tc.m).(canvas.Applied)
			if want.Rejected == nil || want.Rejected.Code != tc.code || want.Seq != 1 || want.Ver != 1 {
				t.Fatalf("got %+v", want)
			}
			w.must(canvas.Restore{By: adam})
			for range 2 {
				if diff := cmp.Diff(want, w.must(tc.m)); diff != "" {
					t.Error(diff)
				}
				w.restart()
			}
			w.fails(frame(tc.m.By, 1, put(id(5), "z")), easel.CodeConflict)
			if next := w.must(frame(tc.m.By, 2, put(id(6), "z"))).(canvas.Applied); next.Seq != 2 {
				t.Errorf("got %+v", next)
			}
		})
	}
}

func TestADeletedImageConsumesSeqs(t *testing.T) {
	w := born(t, canvas.Options{})
	first := frame(ann, 1, put(id(1), "a"))
	accepted := w.must(first)
	w.must(canvas.SoftDelete{By: ann})
	if diff := cmp.Diff(accepted, w.must(first)); diff != "" {
		t.Error(diff)
	}
	if got := w.must(frame(ann, 2, put(id(2), "a"))).(canvas.Applied); got.Rejected == nil || got.Rejected.Code != easel.CodeGone {
		t.Errorf("got %+v, want gone", got)
	}
	w.fails(write(ann, put(id(2), "a")), easel.CodeGone)
	w.must(canvas.Restore{By: ann})
	if got := w.must(frame(ann, 3, put(id(2), "a"))).(canvas.Applied); got.Ver != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestTheLast32VerdictsAreKept(t *testing.T) {
	w := born(t, canvas.Options{})
	frames := make([]canvas.Apply, 32+2)
	for i := range frames {
		frames[i] = frame(ann, int64(i+1), put(id(i), "a"))
		w.must(frames[i])
	}
	for _, m := range frames[:2] {
		w.fails(m, easel.CodeGone)
	}
	for _, m := range frames[2:] {
		if got := w.must(m).(canvas.Applied); got.Ver != m.Seq {
			t.Errorf("seq %d was version %d", m.Seq, got.Ver)
		}
	}
}

// month is how long a client is remembered, by the contract.
const month = 30 * 24 * time.Hour

func TestAClientIsForgottenThirtyDaysAfterItsLastFrame(t *testing.T) {
	w := born(t, canvas.Options{})
	first := frame(ann, 1, put(id(1), "a"))
	w.must(first)
	w.must(frame(bob, 1, put(id(2), "a")))
	w.now = epoch.Add(month - time.Hour)
	w.must(frame(bob, 2, put(id(3), "a")))
	hello := canvas.Hello{By: ann, Client: "tab", Conn: "c1"}

	w.now = epoch.Add(month + time.Hour)
	if got := w.must(canvas.Hello{By: bob, Client: "tab", Conn: "c2"}).(canvas.HelloReply); !got.Known || got.LastSeq != 2 {
		t.Errorf("bob: %+v", got)
	}
	got := w.must(hello).(canvas.HelloReply)
	if got.Known || got.LastSeq != 0 {
		t.Errorf("got known %v, last seq %d", got.Known, got.LastSeq)
	}
	w.restart()
	// A new life of the client starts at 1, and the old verdict is not its.
	if got := w.must(frame(ann, 1, put(id(4), "a"))).(canvas.Applied); got.Ver != 4 {
		t.Errorf("got %+v", got)
	}
	if got := w.must(hello).(canvas.HelloReply); !got.Known || got.LastSeq != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestAStaleClientStartsAnewWithoutHello(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(frame(ann, 1, put(id(1), "a")))
	w.must(frame(ann, 2, put(id(2), "a")))
	w.now = epoch.Add(month + time.Hour)
	if e := w.fails(frame(ann, 3, put(id(3), "a")), easel.CodeBadSeq); e.Expected != 1 {
		t.Errorf("expected %d", e.Expected)
	}
	w.must(frame(ann, 1, put(id(3), "a")))
	w.restart()
	if e := w.fails(frame(ann, 3, put(id(4), "a")), easel.CodeBadSeq); e.Expected != 2 {
		t.Errorf("expected %d", e.Expected)
	}
}

func TestANewerConnectionReplacesTheOlder(t *testing.T) {
	w := born(t, canvas.Options{})
	on := func(m canvas.Apply, conn string) canvas.Apply { m.Conn = conn; return m }

	got := w.must(canvas.Hello{By: ann, Client: "tab", Conn: "c1"}).(canvas.HelloReply)
	if got.Known || got.Ver != 0 || got.Epoch == "" || got.Image.ID != image {
		t.Errorf("got %+v", got)
	}
	w.must(on(frame(ann, 1, put(id(1), "a")), "c1"))
	w.take()
	if got := w.must(canvas.Hello{By: ann, Client: "tab", Conn: "c2"}).(canvas.HelloReply); !got.Known || got.LastSeq != 1 || got.Ver != 1 {
		t.Errorf("got %+v", got)
	}
	want := []actors.Message{canvas.Replaced{User: "ann", Client: "tab", Conn: "c1", By: "c2"}}
	if diff := cmp.Diff(want, w.take()); diff != "" {
		t.Error(diff)
	}
	for range 2 {
		if _, err := w.send(on(frame(ann, 2, put(id(2), "a")), "c1")); !errors.Is(err, canvas.ErrReplaced) {
			t.Errorf("got %v, want ErrReplaced", err)
		}
		w.restart()
	}
	w.must(canvas.Hello{By: ann, Client: "tab", Conn: "c2"}) // again: replaces nothing
	w.must(canvas.Hello{By: bob, Client: "tab", Conn: "c3"}) // another's client
	if n := len(w.take()); n != 0 {
		t.Errorf("published %d", n)
	}
	w.must(on(frame(ann, 2, put(id(2), "a")), "c2"))
	w.must(frame(ann, 3, put(id(3), "a"))) // REST has no connection
}

func TestAViewersHelloWritesNothing(t *testing.T) {
	w := born(t, canvas.Options{})
	before := w.commit
	if got := w.must(canvas.Hello{By: vera, Client: "tab", Conn: "c1"}).(canvas.HelloReply); got.Known {
		t.Errorf("got %+v", got)
	}
	if w.commit != before {
		t.Error("something was written")
	}
	// Whoever may write after all is bound to the connection that wrote first.
	up := vera
	up.Role = easel.Annotator
	m := frame(up, 1, put(id(1), "a"))
	m.Conn = "c1"
	w.must(m)
	m = frame(up, 2, put(id(2), "a"))
	m.Conn = "c0"
	if _, err := w.send(m); !errors.Is(err, canvas.ErrReplaced) {
		t.Errorf("got %v", err)
	}
	w.must(canvas.Hello{By: vera, Client: "tab", Conn: "c2"})
	m.Conn = "c2"
	w.must(m)
}

func TestBatchesWithoutEffectConsumeASeqButNoVersion(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(frame(ann, 1, put(id(1), "a")))
	w.take()
	got := w.must(frame(ann, 2, put(id(1), "a"))).(canvas.Applied)
	want := canvas.Applied{Seq: 2, Ver: 1, Results: []easel.Result{{ID: id(1), Rev: 1}}, Epoch: got.Epoch}
	if diff := cmp.Diff(want, got); diff != "" || len(w.take()) != 0 {
		t.Error(diff)
	}
	if got := w.must(frame(ann, 3, put(id(1), "a"), put(id(2), "a"))).(canvas.Applied); got.Ver != 2 || len(got.Results) != 2 {
		t.Errorf("got %+v", got)
	}
	if batch := w.take()[0].(canvas.Accepted).Batch; len(batch.Ops) != 1 || batch.Ops[0].ID != id(2) {
		t.Errorf("got %+v", batch)
	}
}

func TestBadNamesOfClientsAreRefused(t *testing.T) {
	w := born(t, canvas.Options{})
	w.fails(canvas.Hello{By: ann, Conn: "c"}, easel.CodeInvalid)
	long := frame(ann, 1, put(id(1), "a"))
	long.Client = string(make([]byte, 65))
	w.fails(long, easel.CodeInvalid)
	w.fails(frame(ann, 0, put(id(1), "a")), easel.CodeInvalid)
}

func TestAFailedWriteLeavesNothingBehind(t *testing.T) {
	w := born(t, canvas.Options{})
	w.must(frame(ann, 1, put(id(1), "a")))
	want, _ := w.listed(canvas.List{})
	for _, table := range []string{"verdict", "log", "annotation"} {
		_, err := w.run(func(t *turn) (actors.Message, error) {
			if _, err := t.tx.Exec(`ALTER TABLE ` + table + ` RENAME TO lost`); err != nil {
				w.tb.Fatal(err)
			}
			return w.state.Receive(t, frame(ann, 2, put(id(2), "b")))
		})
		if easel.CodeOf(err) != easel.CodeInternal {
			t.Fatalf("got %v", err)
		}
		got, ver := w.listed(canvas.List{})
		if diff := cmp.Diff(want, got); diff != "" || ver != 1 {
			t.Errorf("without %s: version %d, %s", table, ver, diff)
		}
		if r := w.must(canvas.Look{}).(canvas.ImageReply); r.Ver != 1 || r.Image.AnnotationCount != 1 {
			t.Errorf("without %s: %+v", table, r)
		}
	}
	if got := w.must(frame(ann, 2, put(id(2), "b"))).(canvas.Applied); got.Ver != 2 {
		t.Errorf("got %+v", got)
	}
}
