package actors_test

import (
	"strings"
	"testing"
	"time"
)

func (w *world) rang(t *testing.T, id string) string {
	t.Helper()
	m, err := w.do(t, id, rang{})
	if err != nil {
		t.Fatal(err)
	}
	return m.(rang).Names
}

func TestAlarmsOfOneActorRingInTheirOrder(t *testing.T) {
	w := start(t, t.TempDir())
	for _, r := range []remind{{"late", 1500 * time.Millisecond}, {"early", 20 * time.Millisecond}, {"again", 60 * time.Millisecond}} {
		if _, err := w.do(t, "a", r); err != nil {
			t.Fatal(err)
		}
	}
	// How the repeats fall between the others depends on how busy the machine is.
	until(t, "all have rung", func() bool { return len(strings.Fields(w.rang(t, "a"))) == 5 })
	got := w.rang(t, "a")
	if strings.Count(got, "again") != 3 || strings.Index(got, "early") > strings.Index(got, "late") {
		t.Fatalf("rang = %q, want early before late and again three times", got)
	}
}

func TestAlarmRingsWhileTheActorSleeps(t *testing.T) {
	w := start(t, t.TempDir())
	if _, err := w.do(t, "a", remind{"dawn", time.Second}); err != nil {
		t.Fatal(err)
	}
	w.clock.forward(time.Hour)
	w.Sweep(w.clock.now())
	until(t, "the actor is released", func() bool { return w.Running() == 0 })
	until(t, "the alarm wakes it", func() bool { return w.Running() == 1 })
	until(t, "dawn", func() bool { return w.rang(t, "a") == "dawn" })
}

func TestOverdueAlarmRingsAfterACrash(t *testing.T) {
	home := t.TempDir()
	w := start(t, home)
	if _, err := w.do(t, "a", remind{"overdue", 300 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	if err := w.journal.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, home)
	again.clock.forward(time.Second)
	until(t, "the alarm rings by itself", func() bool { return again.Running() == 1 })
	until(t, "overdue", func() bool { return again.rang(t, "a") == "overdue" })
}

func TestAlarmThatPanicsIsRepeatedAndHarmsNoOther(t *testing.T) {
	w := start(t, t.TempDir())
	for _, r := range []remind{{"panics", time.Millisecond}, {"fine", 2 * time.Millisecond}} {
		if _, err := w.do(t, "a", r); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "fine", func() bool { return w.rang(t, "a") == "fine" })
	w.want(t, "a", add{1}, 1)
	if got := w.rang(t, "a"); strings.Contains(got, "panics") {
		t.Fatalf("rang = %q: a failed call left its mark", got)
	}
}
