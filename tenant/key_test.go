package tenant_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/tenant"
)

func TestServiceKeyLife(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	const secret = "a secret"
	made := must[tenant.KeyCreated](w, tenant.KeyCreate{By: admin, Name: "ci", Role: easel.Annotator, TTL: 60, Secret: tenant.HashSecret(secret)})
	got := must[tenant.KeyReply](w, tenant.KeyCheck{ID: made.ID, Secret: secret})
	want := tenant.KeyReply{ID: made.ID, Name: "ci", Role: easel.Annotator, CreatedBy: admin.User, ExpiresAt: easel.At(w.now.Add(time.Minute))}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	for _, m := range []tenant.KeyCheck{
		{ID: made.ID},
		{ID: made.ID, Secret: secret[1:]},
		{ID: made.ID, Secret: secret + "0"},
		{ID: made.ID, Secret: strings.ToUpper(secret)},
		{ID: made.ID, Secret: string(tenant.HashSecret(secret))},
		{ID: easel.NewID(), Secret: secret},
		{ID: easel.NewID()},
		{},
	} {
		w.refused(easel.CodeUnauthorized, m)
	}
	w.now = w.now.Add(time.Minute)
	w.refused(easel.CodeUnauthorized, tenant.KeyCheck{ID: made.ID, Secret: secret})
	forever := must[tenant.KeyCreated](w, tenant.KeyCreate{By: owner, Name: "x", Role: easel.Owner, Secret: tenant.HashSecret(secret)})
	if forever.ExpiresAt != 0 {
		t.Fatalf("expires at %v", forever.ExpiresAt)
	}
	list := must[tenant.KeyListReply](w, tenant.KeyList{By: admin, Limit: 1})
	if list.Keys[0].ID != forever.ID || list.Next == "" {
		t.Fatalf("newest first: %+v", list)
	}
	list = must[tenant.KeyListReply](w, tenant.KeyList{By: admin, Limit: 1, Cursor: list.Next})
	if list.Keys[0].ID != made.ID || list.Next != "" {
		t.Fatalf("second page: %+v", list)
	}
	if n := w.used().Keys; n != 2 {
		t.Fatalf("%d keys", n)
	}
	must[tenant.Empty](w, tenant.KeyDelete{By: admin, ID: forever.ID})
	w.refused(easel.CodeNotFound, tenant.KeyDelete{By: admin, ID: forever.ID})
	w.refused(easel.CodeUnauthorized, tenant.KeyCheck{ID: forever.ID, Secret: secret})
	if n := w.used().Keys; n != 1 {
		t.Fatalf("%d keys", n)
	}
}

func TestServiceKeyRules(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	tests := []struct {
		name string
		ask  tenant.KeyCreate
		code easel.Code
	}{
		{"reviewer makes none", tenant.KeyCreate{By: reviewer, Name: "x", Role: easel.Viewer}, easel.CodeForbidden},
		{"not above its creator", tenant.KeyCreate{By: admin, Name: "x", Role: easel.Owner}, easel.CodeForbidden},
		{"unknown role", tenant.KeyCreate{By: owner, Name: "x", Role: "king"}, easel.CodeInvalid},
		{"no name", tenant.KeyCreate{By: owner, Role: easel.Viewer}, easel.CodeInvalid},
		{"long name", tenant.KeyCreate{By: owner, Name: strings.Repeat("é", 101), Role: easel.Viewer}, easel.CodeInvalid},
		{"negative ttl", tenant.KeyCreate{By: owner, Name: "x", Role: easel.Viewer, TTL: -1}, easel.CodeInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.t = t
			w.refused(tt.code, tt.ask)
		})
	}
	w.t = t
	w.refused(easel.CodeForbidden, tenant.KeyList{By: reviewer})
	w.refused(easel.CodeForbidden, tenant.KeyDelete{By: reviewer, ID: easel.NewID()})
	must[tenant.KeyCreated](w, tenant.KeyCreate{By: admin, Name: strings.Repeat("é", 100), Role: easel.Admin, Secret: tenant.HashSecret("x")})
}

func TestMembersAreThoseWhoWereSeen(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	w.refused(easel.CodeNotFound, tenant.Member{User: "anna"})
	w.refused(easel.CodeInvalid, tenant.Seen{})
	first := easel.At(w.now)
	must[tenant.Empty](w, tenant.Seen{User: "anna", Name: "Anna", Role: easel.Viewer})
	w.pass(time.Second)
	must[tenant.Empty](w, tenant.Seen{User: "anna", Name: "Anna", Role: easel.Viewer})
	want := tenant.MemberReply{ID: "anna", Name: "Anna", Role: easel.Viewer, LastSeenAt: first}
	if diff := cmp.Diff(want, must[tenant.MemberReply](w, tenant.Member{User: "anna"})); diff != "" {
		t.Fatal(diff)
	}
	must[tenant.Empty](w, tenant.Seen{User: "anna", Name: "Anna A.", Role: easel.Admin})
	want = tenant.MemberReply{ID: "anna", Name: "Anna A.", Role: easel.Admin, LastSeenAt: easel.At(w.now)}
	if diff := cmp.Diff(want, must[tenant.MemberReply](w, tenant.Member{User: "anna"})); diff != "" {
		t.Fatal(diff)
	}
	must[tenant.Empty](w, tenant.Seen{User: "bob"})
	if n := w.used().Members; n != 2 {
		t.Fatalf("%d members", n)
	}
}
