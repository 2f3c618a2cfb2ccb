package fencing_test

import (
	"errors"
	"testing"

	"github.com/easelhq/easel/journal/fencing"
)

// step is a reply to the last move, and the move that follows.
type step struct {
	reply fencing.Reply
	want  fencing.Move
}

func TestPutKnowsWhatAnswersMean(t *testing.T) {
	mine, other := []byte("mine, all of it"), []byte("somebody else's")
	silent := fencing.Reply{Kind: fencing.Silent}
	took := fencing.Reply{Kind: fencing.Took, Version: "v1"}
	refused := fencing.Reply{Kind: fencing.Refused}
	missing := fencing.Reply{Kind: fencing.Missing}
	found := func(b []byte) fencing.Reply { return fencing.Reply{Kind: fencing.Found, Body: b, Version: "v2"} }
	tests := []struct {
		name  string
		steps []step
		want  string // the version; "": *Other
	}{
		{"taken at once", []step{{took, fencing.Over}}, "v1"},
		{"taken after silence", []step{{silent, fencing.Rest}, {silent, fencing.Rest}, {took, fencing.Over}}, "v1"},
		{"an answer was lost", []step{{silent, fencing.Rest}, {refused, fencing.Look}, {found(mine), fencing.Over}}, "v2"},
		{"its own bytes at the first try", []step{{refused, fencing.Look}, {found(mine), fencing.Over}}, "v2"},
		{"other bytes", []step{{refused, fencing.Look}, {found(other), fencing.Over}}, ""},
		{"other bytes after silence", []step{{silent, fencing.Rest}, {refused, fencing.Look}, {found(other), fencing.Over}}, ""},
		{"a part of its own bytes", []step{{silent, fencing.Rest}, {refused, fencing.Look}, {found(mine[:4]), fencing.Over}}, ""},
		{"nothing of them", []step{{silent, fencing.Rest}, {refused, fencing.Look}, {found(nil), fencing.Over}}, ""},
		{"gone again", []step{{refused, fencing.Look}, {missing, fencing.Over}}, ""},
		{"no answer to the look", []step{{refused, fencing.Look}, {silent, fencing.Rest}, {refused, fencing.Look}, {found(mine), fencing.Over}}, "v2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			put := &fencing.Put{Write: fencing.Write{Key: "k", Body: mine}}
			for i, s := range tt.steps {
				if got := put.Step(s.reply); got != s.want {
					t.Fatalf("step %d: move %d, want %d", i, got, s.want)
				}
			}
			got, err := put.Result()
			_, clash := errors.AsType[*fencing.Other](err)
			if got != tt.want || clash != (tt.want == "") {
				t.Errorf("version %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}
