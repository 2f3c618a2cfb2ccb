package fencing_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel/journal/fencing"
)

var noon = time.Unix(1_000_000, 0)

const nonce = "000102030405060708090a0b0c0d0e0f"

// liner is a line and what it said.
type liner struct {
	*fencing.Line[string]
	sent []*fencing.Flight[string]
	said []string
}

func newLiner(change func(*fencing.LineOptions[string])) *liner {
	opts := fencing.LineOptions[string]{
		Number: 3, Nonce: nonce, Established: true, MaxSlot: 4, Size: func(s string) int { return len(s) },
		Payload: func(_ bool, batch []string) ([]byte, error) { return []byte(strings.Join(batch, "+")), nil },
	}
	if change != nil {
		change(&opts)
	}
	return &liner{Line: fencing.NewLine(opts)}
}

// do notes what is wanted, and delivers.
func (l *liner) do(work fencing.Work[string]) {
	l.sent = append(l.sent, work.Send...)
	if work.Ended != nil {
		l.said = append(l.said, "ends")
	}
	for work.Deliver {
		d, more, ok := l.Deliver(noon)
		if !ok {
			break
		}
		said := strings.Join(d.Waits, "+")
		if d.Err != nil {
			said += " refused"
		}
		l.said = append(l.said, said)
		l.sent = append(l.sent, more.Send...)
	}
}

func (l *liner) append(texts ...string) {
	for _, text := range texts {
		l.do(l.Append(noon, text, nil))
	}
}

func (l *liner) landed(i int, err error) { l.do(l.Sent(noon, l.sent[i], err)) }

func (l *liner) want(t *testing.T, said ...string) {
	t.Helper()
	if diff := cmp.Diff(said, l.said); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLineAnswersInOrder(t *testing.T) {
	l := newLiner(nil)
	l.append("a", "b", "c")
	l.landed(2, nil)
	l.landed(1, nil)
	l.want(t)
	l.landed(0, nil)
	l.want(t, "a", "b", "c")
	if !l.AtRest() || l.Slots() != 3 {
		t.Errorf("at rest %t with %d slots", l.AtRest(), l.Slots())
	}
}

func TestLineMergesWhatWaitsForTheWindow(t *testing.T) {
	l := newLiner(nil)
	l.append("a", "b", "c", "d", "ee", "ff", "g")
	if len(l.sent) != fencing.Window {
		t.Fatalf("%d slots under way", len(l.sent))
	}
	l.landed(0, nil)
	l.landed(1, nil)
	for i, want := range []string{"a", "b", "c", "d", "ee+ff", "g"} {
		f, payload, _, err := fencing.DecodeSlot(l.sent[i].Body)
		// It vouches for those that were answered when it was made.
		watermark := []uint64{0, 0, 0, 0, 0, 1}[i]
		if err != nil || string(payload) != want || f.Seq != uint64(i) || f.Term != 3 || f.Watermark != watermark {
			t.Errorf("slot %d holds %q, %+v, %v", i, payload, f, err)
		}
	}
}

func TestLineEndsWithTheFirstSlotThatFails(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want error
	}{
		{"its key holds another", &fencing.Other{}, fencing.ErrFenced},
		{"the store does not answer", fencing.ErrUnavailable, fencing.ErrUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLiner(nil)
			l.append("a", "b", "c", "d", "e")
			l.landed(2, nil) // durable, and still no part of the history
			l.landed(1, tt.err)
			l.append("f")
			l.landed(3, nil)
			l.landed(0, nil)
			l.want(t, "ends", "a refused", "b refused", "c refused", "d refused", "e refused", "f refused")
			if !errors.Is(l.Err(), tt.want) {
				t.Errorf("ended by %v", l.Err())
			}
		})
	}
}

func TestLineTakesNothingWhileItsHeadIsClosed(t *testing.T) {
	l := newLiner(nil)
	l.append("a")
	l.do(l.Leave(noon))
	l.landed(0, nil)
	l.append("b", "c")
	l.want(t, "a", "ends", "b refused", "c refused")
	if !errors.Is(l.Err(), fencing.ErrClosed) {
		t.Errorf("ended by %v", l.Err())
	}
}

func TestLineWaitsForItsFirstHead(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		sent int
		want error
	}{
		{"written", nil, 1, nil},
		{"another was born", &fencing.Other{}, 0, fencing.ErrFenced},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLiner(func(o *fencing.LineOptions[string]) { o.Established, o.Fresh, o.MaxSlot = false, true, 100 })
			asked := 0
			for i := range 3 {
				if l.Append(noon, fmt.Sprint(i), nil).Establish {
					asked++
				}
			}
			l.do(l.Established(noon, tt.err))
			if asked != 1 || len(l.sent) != tt.sent || !errors.Is(l.Err(), tt.want) {
				t.Fatalf("asked %d times, %d slots, %v", asked, len(l.sent), l.Err())
			}
			if tt.sent > 0 {
				if kind := fencing.Kind(l.sent[0].Body[10]); kind != fencing.Birth {
					t.Errorf("the first slot is of kind %d", kind)
				}
			}
		})
	}
}

func TestLineLingers(t *testing.T) {
	l := newLiner(func(o *fencing.LineOptions[string]) { o.Linger, o.MaxSlot = time.Second, 3 })
	if work := l.Append(noon, "a", nil); work.Linger != time.Second || len(work.Send) > 0 {
		t.Fatalf("first: %+v", work)
	}
	if work := l.Append(noon.Add(time.Millisecond), "b", nil); work.Linger != 0 || len(work.Send) > 0 {
		t.Errorf("second: %+v", work)
	}
	if work := l.Wake(noon.Add(time.Second), false); len(work.Send) != 1 || len(work.Send[0].Waits) != 2 {
		t.Errorf("after a second: %+v", work)
	}
	if work := l.Append(noon, "ccc", nil); len(work.Send) != 1 {
		t.Errorf("what fills a slot: %+v", work)
	}
	l.Append(noon, "d", nil)
	if work := l.Wake(noon, true); len(work.Send) != 1 {
		t.Errorf("in a hurry: %+v", work)
	}
}

func TestLooksAnswerThoseWhoAskedBefore(t *testing.T) {
	var l fencing.Looks[string]
	begun := []bool{l.Ask("a"), l.Ask("b"), l.Ask("c")}
	first, again := l.Done()
	begun = append(begun, again, l.Ask("d"))
	second, last := l.Done()
	third, over := l.Done()
	begun = append(begun, last, over)
	if diff := cmp.Diff([][]string{{"a"}, {"b", "c"}, {"d"}}, [][]string{first, second, third}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]bool{true, false, false, true, false, true, false}, begun); diff != "" {
		t.Errorf("looks begun (-want +got):\n%s", diff)
	}
}
