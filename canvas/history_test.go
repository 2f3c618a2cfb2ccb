package canvas_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/canvas"
)

// shelf is an Archive in memory.
type shelf struct {
	mu      sync.Mutex // guards what follows
	objects map[string][]byte
	puts    int
	gets    int
	fail    func(verb, name string) error // nil: nothing fails
}

var _ canvas.Archive = (*shelf)(nil)

func newShelf() *shelf { return &shelf{objects: map[string][]byte{}} }

func (s *shelf) check(verb, name string) error {
	if s.fail == nil {
		return nil
	}
	return s.fail(verb, name)
}

func (s *shelf) Put(_ context.Context, _ easel.TenantID, _ easel.ID, name string, object []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check("put", name); err != nil {
		return err
	}
	if old, ok := s.objects[name]; ok && !bytes.Equal(old, object) {
		return errors.New("another object has this name")
	}
	s.puts++
	s.objects[name] = bytes.Clone(object)
	return nil
}

func (s *shelf) Get(_ context.Context, _ easel.TenantID, _ easel.ID, name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check("get", name); err != nil {
		return nil, err
	}
	s.gets++
	object, ok := s.objects[name]
	if !ok {
		return nil, easel.Errorf(easel.CodeGone, "no object %s", name)
	}
	return object, nil
}

func (s *shelf) Delete(_ context.Context, _ easel.TenantID, _ easel.ID, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check("delete", name); err != nil {
		return err
	}
	delete(s.objects, name)
	return nil
}

// names returns the objects of a kind, sorted.
func (s *shelf) names(kind string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Sorted(maps.Keys(s.objects))
	return slices.DeleteFunc(all, func(n string) bool { return !strings.HasPrefix(n, kind) })
}

// archive lets all batches leave the log that want to.
func (w *world) archive() {
	w.tb.Helper()
	for {
		due, ok := w.alarms["archive"]
		if !ok || due.After(w.now) {
			return
		}
		w.ring("archive")
		w.finish()
	}
}

// ring calls one alarm now.
func (w *world) ring(name string) {
	w.tb.Helper()
	_, err := w.run(func(t *turn) (actors.Message, error) {
		delete(t.alarms, name)
		return nil, w.state.Alarm(t, name)
	})
	if err != nil {
		w.tb.Fatalf("alarm %s: %v", name, err)
	}
}

// scene makes the state of a moment as a reader does.
func (w *world) scene(m canvas.Locate) (*canvas.Scene, error) {
	w.tb.Helper()
	answer, err := w.send(m)
	if err != nil {
		return nil, err
	}
	at, archive := answer.(canvas.Located), w.options.Archive
	if at.Found < 0 {
		last := at.Chunks[len(at.Chunks)-1]
		object, err := archive.Get(w.tb.Context(), owner, image, last.Ops)
		if err != nil {
			return nil, err
		}
		if at.Found, _, err = last.Find(image, m.At, object); err != nil {
			return nil, err
		}
	}
	s := &canvas.Scene{Image: image}
	if err := s.Replay(w.tb.Context(), archive, owner, at.Chunks, at.Found); err != nil {
		return nil, err
	}
	return s, w.batches(s.Ver, at.Found, s.Apply)
}

// batches reads the log and the objects before it.
func (w *world) batches(after, to int64, f func(*easel.Batch) error) error {
	w.tb.Helper()
	for after < to {
		answer, err := w.send(canvas.Log{Since: after, Archived: true})
		if err != nil {
			return err
		}
		log := answer.(canvas.LogReply)
		if c := log.Chunk; c != nil {
			object, err := w.options.Archive.Get(w.tb.Context(), owner, image, c.Ops)
			if err != nil {
				return err
			}
			err = c.Batches(image, after, object, func(m *easel.Batch, _ int64) bool {
				log.Batches = append(log.Batches, *m)
				return true
			})
			if err != nil {
				return err
			}
		}
		for _, m := range log.Batches {
			if m.Ver != after+1 {
				return fmt.Errorf("batch %d after %d", m.Ver, after)
			}
			if after = m.Ver; after > to {
				break
			}
			if err := f(&m); err != nil {
				return err
			}
		}
	}
	return nil
}

// body is the list at a moment, as text.
func (w *world) body(m canvas.Locate, filter canvas.List) string {
	w.tb.Helper()
	s, err := w.scene(m)
	if err != nil {
		w.tb.Fatalf("state at %+v: %v", m, err)
	}
	body, err := s.Listing(filter)
	if err != nil {
		w.tb.Fatal(err)
	}
	return string(body)
}

func at(ver int64) canvas.Locate { return canvas.Locate{Moment: canvas.Moment{Ver: ver}} }

func atTime(t time.Time) canvas.Locate {
	return canvas.Locate{Moment: canvas.Moment{At: easel.At(t)}, Row: true}
}

// aged is an image with n versions of a few annotations, whose log keeps little.
func aged(tb testing.TB, keep, n int) (*world, *shelf, []string) {
	tb.Helper()
	s := newShelf()
	w := born(tb, canvas.Options{Archive: s, OpLogKeep: keep})
	bodies := []string{string(w.must(canvas.List{}).(canvas.Listing).Body)}
	w.must(write(ann, put(id(1), "a"), put(id(2), "b"), put(id(3), "c")))
	for i := 1; i <= n; i++ {
		bodies = append(bodies, string(w.must(canvas.List{}).(canvas.Listing).Body))
		w.now = w.now.Add(time.Second)
		if i < n {
			w.must(write([]canvas.Author{ann, bob}[i%2], relabel(id(1+i%3), fmt.Sprint("label ", i))))
		}
		w.archive()
	}
	return w, s, bodies
}

func TestEveryVersionCanBeHadBackFromObjectsAndLog(t *testing.T) {
	w, s, bodies := aged(t, 10, 95)
	if got := len(s.names("ops")); got != 8 {
		t.Errorf("%d chunks of 95 batches, of which the log keeps 10 and less than another 10", got)
	}
	if len(s.names("key")) == 0 {
		t.Error("no keyframe")
	}
	for ver, want := range bodies {
		if got := w.body(at(int64(ver)), canvas.List{}); got != want {
			t.Fatalf("version %d is %s, was %s", ver, got, want)
		}
		// Batch 1 came at second 0, and each after it a second later.
		moment := epoch.Add(time.Duration(ver)*time.Second - time.Millisecond)
		if ver > 0 {
			for _, m := range []time.Time{moment, moment.Add(-time.Second + time.Millisecond)} { // its last moment and its first
				if got := w.body(atTime(m), canvas.List{}); got != want {
					t.Fatalf("at %v it is %s, was %s", m, got, want)
				}
			}
		}
	}
	w.restart()
	filtered := w.body(at(95), canvas.List{Label: ptr("label 94")})
	if want, _ := w.must(canvas.List{Label: ptr("label 94")}).(canvas.Listing); filtered != string(want.Body) {
		t.Errorf("filtered: %s, want %s", filtered, want.Body)
	}
}

// TestAStateIsMadeOfFewChunks: however long the history is.
func TestAStateIsMadeOfFewChunks(t *testing.T) {
	w, s, bodies := aged(t, 4, 600)
	for _, ver := range []int64{1, 100, 300, 599, 600} {
		s.gets = 0
		if got := w.body(at(ver), canvas.List{}); got != bodies[ver] {
			t.Fatalf("version %d is wrong", ver)
		}
		// A keyframe and 16 chunks at most, and the hot rows.
		if s.gets > 18 {
			t.Errorf("version %d took %d objects", ver, s.gets)
		}
	}
}

func TestTheOpLogIsWholeAcrossTheBoundary(t *testing.T) {
	w, _, _ := aged(t, 10, 60)
	next := int64(0)
	err := w.batches(0, 60, func(m *easel.Batch) error {
		if next++; m.Ver != next || len(m.Ops) == 0 {
			t.Fatalf("batch %d is %+v", next, m)
		}
		return nil
	})
	if err != nil || next != 60 {
		t.Fatalf("%d batches: %v", next, err)
	}
	// Who reads no objects sees that there is a gap.
	log := w.must(canvas.Log{Since: 5}).(canvas.LogReply)
	if log.Chunk != nil || len(log.Batches) == 0 || log.Batches[0].Ver <= 6 {
		t.Errorf("a room gets %+v", log)
	}
	if log := w.must(canvas.Log{Since: 60, Archived: true}).(canvas.LogReply); log.Chunk != nil || len(log.Batches) != 0 || log.Next != 0 {
		t.Errorf("at the end: %+v", log)
	}
	if log := w.must(canvas.Log{Since: 99, Archived: true}).(canvas.LogReply); log.Chunk != nil || len(log.Batches) != 0 {
		t.Errorf("beyond the end: %+v", log)
	}
}

// TestACrashWhileArchivingLosesNothing stops at each step and starts again.
func TestACrashWhileArchivingLosesNothing(t *testing.T) {
	down := errors.New("the store is down")
	for _, tc := range []struct {
		name string
		fail func(w *world, s *shelf)
	}{
		{"before the job", func(w *world, _ *shelf) { w.ring("archive"); w.jobs = nil; w.restart() }},
		{"no object is put", func(w *world, s *shelf) {
			s.fail = func(string, string) error { return down }
			w.ring("archive")
			w.finish()
			s.fail = nil
		}},
		{"only the keyframe is put", func(w *world, s *shelf) {
			s.fail = func(verb, name string) error {
				if verb == "put" && strings.HasPrefix(name, "ops") {
					return down
				}
				return nil
			}
			w.ring("archive")
			w.finish()
			s.fail = nil
		}},
		{"both are put and the result is lost", func(w *world, _ *shelf) {
			w.ring("archive")
			for _, job := range w.jobs {
				job(t.Context())
			}
			w.jobs = nil
			w.restart()
		}},
		{"two jobs run", func(w *world, _ *shelf) {
			w.ring("archive")
			w.ring("archive")
			w.finish()
			w.restart()
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newShelf()
			w := born(t, canvas.Options{Archive: s, OpLogKeep: 5})
			bodies := []string{string(w.must(canvas.List{}).(canvas.Listing).Body)}
			for i := range 40 {
				w.must(write(ann, put(id(i), fmt.Sprint(i))))
				bodies = append(bodies, string(w.must(canvas.List{}).(canvas.Listing).Body))
				if _, ok := w.alarms["archive"]; ok {
					tc.fail(w, s)
				}
				if i == 30 {
					w.now = w.now.Add(time.Hour)
					w.archive()
				}
			}
			w.now = w.now.Add(time.Hour)
			w.archive()
			if len(s.names("ops")) != 7 {
				t.Errorf("objects %v", s.names("ops"))
			}
			for ver, want := range bodies {
				if got := w.body(at(int64(ver)), canvas.List{}); got != want {
					t.Fatalf("version %d is %s, was %s", ver, got, want)
				}
			}
		})
	}
}

// TestDamageIsNeverServed changes every byte of every object.
func TestDamageIsNeverServed(t *testing.T) {
	w, s, bodies := aged(t, 5, 30)
	for name, whole := range s.objects {
		for i := 0; i < len(whole); i += 3 {
			broken := bytes.Clone(whole)
			broken[i] ^= 1 << (i % 8)
			s.objects[name] = broken
			for _, ver := range []int64{3, 12, 22} {
				got, err := w.scene(at(ver))
				if err == nil {
					body, _ := got.Listing(canvas.List{})
					if string(body) != bodies[ver] {
						t.Fatalf("byte %d of %s changed version %d to %s", i, name, ver, body)
					}
				} else if !errors.Is(err, canvas.ErrDamaged) {
					t.Fatalf("byte %d of %s: %v", i, name, err)
				}
			}
		}
		for _, cut := range []int{0, 1, len(whole) / 2, len(whole) - 1} {
			s.objects[name] = whole[:cut]
			for ver := range int64(30) {
				if got, err := w.scene(at(ver)); err == nil {
					if body, _ := got.Listing(canvas.List{}); string(body) != bodies[ver] {
						t.Fatalf("%s cut to %d bytes changed version %d", name, cut, ver)
					}
				}
			}
		}
		s.objects[name] = whole
	}
	// One object under another's name.
	names := s.names("ops")
	s.objects[names[0]], s.objects[names[1]] = s.objects[names[1]], s.objects[names[0]]
	if _, err := w.scene(at(3)); !errors.Is(err, canvas.ErrDamaged) {
		t.Errorf("exchanged objects: %v", err)
	}
}

func TestMomentsThatCannotBeShown(t *testing.T) {
	w, _, bodies := aged(t, 10, 60) // batch i came at second i-1
	for _, tc := range []struct {
		name string
		m    canvas.Locate
		want easel.Code
	}{
		{"the next version", at(61), easel.CodeInvalid},
		{"a negative version", at(-1), easel.CodeInvalid},
		{"a later time", atTime(w.now.Add(time.Millisecond)), easel.CodeInvalid},
		{"before the birth", atTime(epoch.Add(-time.Millisecond)), easel.CodeNotFound},
		{"before the retention", atTime(epoch.Add(-40 * 24 * time.Hour)), easel.CodeGone},
	} {
		t.Run(tc.name, func(t *testing.T) { w.fails(tc.m, tc.want) })
	}
	// Since takes the birth for what was before it.
	since := atTime(epoch.Add(-40 * 24 * time.Hour))
	since.Since, since.Row = true, false
	if got := w.body(since, canvas.List{}); got != bodies[0] {
		t.Errorf("since before the birth: %s", got)
	}
	// 30 days after second 33, what was over then is gone, in objects and log alike.
	w.now = epoch.Add(30*24*time.Hour + 33*time.Second)
	for ver := range int64(61) {
		s, err := w.scene(at(ver))
		if over := ver < 34; over != (err != nil) || over && easel.CodeOf(err) != easel.CodeGone {
			// The exact second inside a chunk is for the reader to find.
			if over && err == nil && s.Ver/10 == 3 {
				continue
			}
			t.Errorf("version %d: %v", ver, err)
		}
	}
	w.fails(atTime(epoch.Add(33*time.Second)), easel.CodeGone)
	if got := w.body(atTime(epoch.Add(33*time.Second+time.Millisecond)), canvas.List{}); got != bodies[34] {
		t.Errorf("got %s", got)
	}
	// The same in the log.
	w.now = epoch.Add(30*24*time.Hour + 55*time.Second)
	w.fails(at(55), easel.CodeGone)
	if got := w.body(at(56), canvas.List{}); got != bodies[56] {
		t.Errorf("got %s", got)
	}
	// What is shown now is never gone, whatever its age.
	w.now = w.now.Add(365 * 24 * time.Hour)
	if got := w.body(at(60), canvas.List{}); got != bodies[60] {
		t.Errorf("got %s", got)
	}
}

// TestHistoryIsForgottenButNeverWhatIsStillAskedFor lets a long history grow old.
func TestHistoryIsForgottenButNeverWhatIsStillAskedFor(t *testing.T) {
	const day = 24 * time.Hour
	s := newShelf()
	w := born(t, canvas.Options{Archive: s, OpLogKeep: 4})
	bodies := []string{string(w.must(canvas.List{}).(canvas.Listing).Body)}
	times := []time.Time{w.now}
	for i := range 120 { // a version a day
		w.now = w.now.Add(day)
		w.must(write(ann, put(id(i), fmt.Sprint("day ", i))))
		bodies = append(bodies, string(w.must(canvas.List{}).(canvas.Listing).Body))
		times = append(times, w.now)
		w.archive()
		// Every other day it rings too early, which must be harmless.
		if due, ok := w.alarms["forget"]; ok && (i%2 == 0 || !due.After(w.now)) {
			w.ring("forget")
			if i%7 == 3 {
				w.jobs = nil // a crash
				w.restart()
			}
			w.finish()
		}
		for ver, when := range times {
			if (ver+i)%5 != 0 {
				continue // each is looked at often enough
			}
			shown := w.now.Sub(when)
			if ver < len(times)-1 {
				shown = w.now.Sub(times[ver+1]) // until then it was the newest
			}
			got, err := w.scene(at(int64(ver)))
			switch {
			case shown < 30*day || ver == len(times)-1:
				if err != nil {
					t.Fatalf("day %d: version %d: %v", i, ver, err)
				}
				if body, _ := got.Listing(canvas.List{}); string(body) != bodies[ver] {
					t.Fatalf("day %d: version %d is %s", i, ver, body)
				}
			case shown > 60*day && easel.CodeOf(err) != easel.CodeGone:
				t.Fatalf("day %d: version %d: %v", i, ver, err)
			}
		}
	}
	if n := len(s.names("")); n > 40 {
		t.Errorf("%d objects are left of 120 days: %v", n, s.names(""))
	}
	if _, err := w.send(canvas.Log{Since: 1, Archived: true}); easel.CodeOf(err) != easel.CodeGone {
		t.Errorf("the log of long ago: %v", err)
	}
}

func TestTheRowOfThePast(t *testing.T) {
	w := born(t, canvas.Options{})
	row := func(m canvas.Locate) easel.Image {
		t.Helper()
		m.Row = true
		return w.must(m).(canvas.Located).Image
	}
	step := func() time.Time { w.now = w.now.Add(time.Minute); return w.now }
	start := w.now
	first := step()
	w.must(write(ann, put(id(1), "a")))
	second := step()
	w.must(canvas.Amend{By: ann, Filename: ptr("dog.png"), Metadata: []byte(`{"k":1}`)})
	third := step()
	w.must(canvas.SoftDelete{By: ann})
	fourth := step()
	w.must(canvas.Restore{By: ann})
	step()
	w.must(write(ann, put(id(2), "b")))
	w.restart()
	for _, tc := range []struct {
		name            string
		m               canvas.Locate
		filename        string
		metadata        string
		version, count  int64
		deletedAtMinute time.Time
	}{
		{"at birth", atTime(start), "cat.png", `{}`, 0, 0, time.Time{}},
		{"after a batch", atTime(first), "cat.png", `{}`, 1, 1, time.Time{}},
		{"after the change", atTime(second), "dog.png", `{"k":1}`, 1, 1, time.Time{}},
		{"deleted", atTime(third), "dog.png", `{"k":1}`, 1, 1, third},
		{"restored", atTime(fourth), "dog.png", `{"k":1}`, 1, 1, time.Time{}},
		{"version 0", at(0), "cat.png", `{}`, 0, 0, time.Time{}},
		{"version 1, as it was last", at(1), "dog.png", `{"k":1}`, 1, 1, time.Time{}},
		{"version 2", at(2), "dog.png", `{"k":1}`, 2, 2, time.Time{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := row(tc.m)
			want := birth.Image
			want.Filename, want.Metadata = tc.filename, []byte(tc.metadata)
			want.Version, want.AnnotationCount = tc.version, tc.count
			if !tc.deletedAtMinute.IsZero() {
				want.DeletedAt = easel.At(tc.deletedAtMinute)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	// Times never go back, also between rows and batches.
	w.now = start
	w.must(canvas.Amend{By: ann, Filename: ptr("early.png")})
	w.must(write(ann, put(id(3), "c")))
	log := w.must(canvas.Log{}).(canvas.LogReply).Batches
	if log[2].At < log[1].At {
		t.Errorf("%v after %v", log[2].At, log[1].At)
	}
	if _, ok := w.alarms["archive"]; ok {
		t.Error("without an archive nothing leaves")
	}
	for i := range 600 {
		w.must(canvas.Amend{By: ann, Filename: ptr(fmt.Sprint(i))})
	}
	w.fails(canvas.Locate{Moment: canvas.Moment{Ver: 0}, Row: true}, easel.CodeGone)
	w.must(at(0)) // the annotations are still known
}

func TestChatKeepsWhatCanBeRead(t *testing.T) {
	w := born(t, canvas.Options{})
	for i := range 150 {
		w.must(canvas.Say{By: ann, Text: fmt.Sprint(i)})
	}
	n := 0
	_, err := w.run(func(t *turn) (actors.Message, error) {
		return nil, t.tx.Row(`SELECT count(*) FROM chat`, nil, &n)
	})
	if err != nil || n != 100 {
		t.Errorf("%d messages are kept: %v", n, err)
	}
	if got := w.must(canvas.Messages{}).(canvas.MessagesReply).Messages; len(got) != 100 || got[0].Text != "149" || got[99].Text != "50" {
		t.Errorf("%d messages, from %s", len(got), got[0].Text)
	}
}

func TestPurgeForgetsHistory(t *testing.T) {
	w, _, _ := aged(t, 5, 30)
	w.must(canvas.SoftDelete{By: ann})
	w.must(canvas.Purge{})
	for _, table := range []string{`SELECT count(*) FROM chunk`, `SELECT count(*) FROM change`} {
		n := 0
		_, err := w.run(func(t *turn) (actors.Message, error) { return nil, t.tx.Row(table, nil, &n) })
		if err != nil || n != 0 {
			t.Errorf("%s is %d: %v", table, n, err)
		}
	}
	w.must(canvas.Archived{Chunk: canvas.Chunk{First: 26, Last: 30}})
	w.must(canvas.Forgotten{Before: 100})
	w.restart()
	w.fails(at(1), easel.CodeNotFound)
}
