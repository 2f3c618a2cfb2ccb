package auth_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/auth"
	"github.com/easelhq/easel/tenant"
)

// office answers for tenants' actors and remembers what it was asked.
type office struct {
	mu    sync.Mutex
	asked []actors.Request
	keys  map[easel.ID]tenant.KeyReply
	fail  error
}

func (o *office) Ask(_ context.Context, r actors.Request) (actors.Message, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, r)
	if o.fail != nil {
		return nil, o.fail
	}
	switch m := r.Message.(type) {
	case tenant.KeyCheck:
		k, ok := o.keys[m.ID]
		if !ok || m.Secret != "s3_cret" {
			return nil, easel.Errorf(easel.CodeUnauthorized, "no such key")
		}
		return k, nil
	default:
		return tenant.Empty{}, nil
	}
}

func (o *office) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.asked)
}

// tick is a clock that a test moves.
type tick struct {
	mu  sync.Mutex
	now time.Time
}

func (c *tick) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *tick) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newAuth(t *testing.T) (*auth.Authenticator, *office, *tick) {
	t.Helper()
	o, c := &office{keys: map[easel.ID]tenant.KeyReply{}}, &tick{now: noon}
	a, err := auth.New(t.Context(), auth.Config{
		Tokens: auth.TokenConfig{Secrets: [][]byte{first}, Now: c.Now},
		Root:   []byte(strings.Repeat("r", 32)), Asker: o,
	})
	if err != nil {
		t.Fatal(err)
	}
	return a, o, c
}

func wantCode(t *testing.T, err error, want easel.Code) {
	t.Helper()
	if got := easel.CodeOf(err); got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
}

func TestServiceKeyActsForItsTenant(t *testing.T) {
	a, o, c := newAuth(t)
	id, team := easel.NewID(), auth.Team("", "acme")
	o.keys[id] = tenant.KeyReply{ID: id, Name: "robot", Role: easel.Reviewer}
	key := "easel_" + string(team) + "_" + string(id) + "_s3_cret"
	p, err := a.Header(t.Context(), "bearer "+key)
	if err != nil {
		t.Fatal(err)
	}
	if p.Tenant != team || p.User != "key:"+string(id) || p.Role != easel.Reviewer || p.Key != id || p.Name != "robot" {
		t.Errorf("got %+v", p)
	}
	if to := o.asked[0].To; to != tenant.Key(team) {
		t.Errorf("asked %v", to)
	}
	if _, err := a.Bearer(t.Context(), key); err != nil || o.count() != 1 {
		t.Errorf("a key in use is asked for every time: %d asks, %v", o.count(), err)
	}
	delete(o.keys, id)
	c.pass(time.Second)
	_, err = a.Bearer(t.Context(), key)
	wantCode(t, err, easel.CodeUnauthorized)
}

func TestServiceKeyEndsAtOnceWhereItIsRevoked(t *testing.T) {
	a, o, c := newAuth(t)
	gone, kept := easel.NewID(), easel.NewID()
	key := func(id easel.ID) string { return auth.FormatKey(auth.Team("", "acme"), id, "s3_cret") }
	for _, id := range []easel.ID{gone, kept} {
		o.keys[id] = tenant.KeyReply{ID: id, Name: "robot", Role: easel.Viewer}
		if _, err := a.Bearer(t.Context(), key(id)); err != nil {
			t.Fatal(err)
		}
	}
	delete(o.keys, gone)
	a.Revoke(gone)
	asked := o.count()
	for range 4 { // also once the mark is forgotten
		_, err := a.Bearer(t.Context(), key(gone))
		wantCode(t, err, easel.CodeUnauthorized)
		c.pass(400 * time.Millisecond)
	}
	if o.count() != asked+4 {
		t.Errorf("%d asks", o.count()-asked)
	}
	if _, err := a.Bearer(t.Context(), key(kept)); err != nil {
		t.Errorf("another key: %v", err)
	}
}

func TestBadServiceKeys(t *testing.T) {
	a, o, _ := newAuth(t)
	id, team := string(easel.NewID()), string(auth.Team("", "acme"))
	for name, key := range map[string]string{
		"nothing":       "easel_",
		"no secret":     "easel_" + team + "_" + id + "_",
		"no id":         "easel_" + team,
		"bad hash":      "easel_../../etc_" + id + "_x",
		"capital hash":  "easel_" + strings.ToUpper(team) + "_" + id + "_x",
		"bad id":        "easel_" + team + "_12_x",
		"huge secret":   "easel_" + team + "_" + id + "_" + strings.Repeat("x", 300),
		"other prefix":  "Easel_" + team + "_" + id + "_x",
		"spaces around": " easel_" + team + "_" + id + "_x",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.Bearer(t.Context(), key)
			wantCode(t, err, easel.CodeUnauthorized)
		})
	}
	if o.count() != 0 {
		t.Errorf("malformed keys woke %d actors", o.count())
	}
	o.fail = easel.Errorf(easel.CodeNotFound, "no such tenant")
	_, err := a.Bearer(t.Context(), "easel_"+team+"_"+id+"_x")
	wantCode(t, err, easel.CodeUnauthorized)
	o.fail = easel.Errorf(easel.CodeUnavailable, "away")
	_, err = a.Bearer(t.Context(), "easel_"+team+"_"+id+"_x")
	wantCode(t, err, easel.CodeUnavailable)
}

func TestHeaderForms(t *testing.T) {
	a, _, _ := newAuth(t)
	token, err := a.Sign(auth.Grant{User: "ada", TTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range []string{"Bearer " + token, "bearer " + token, "BEARER  " + token} {
		if _, err := a.Header(t.Context(), h); err != nil {
			t.Errorf("%.10q: %v", h, err)
		}
	}
	for _, h := range []string{"", "Bearer", "Bearer ", token, "Basic " + token, "Bearer\t" + token, "Bearer " + token + ", Bearer x"} {
		_, err := a.Header(t.Context(), h)
		wantCode(t, err, easel.CodeUnauthorized)
	}
}

func TestTokenStopsWhenItExpiresAlsoIfItWasVerifiedBefore(t *testing.T) {
	a, _, c := newAuth(t)
	token, err := a.Sign(auth.Grant{User: "ada", TTL: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Bearer(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	c.pass(10 * time.Second)
	_, err = a.Bearer(t.Context(), token)
	wantCode(t, err, easel.CodeUnauthorized)
}

func TestTicketOpensOneImageForAMinute(t *testing.T) {
	a, _, c := newAuth(t)
	image := easel.NewID()
	p := easel.Principal{
		Tenant: auth.Team("", "acme"), TenantName: "acme", User: "ada", Name: "Ada",
		Role: easel.Annotator, Expires: noon.Add(time.Hour),
	}
	ticket, until := a.NewTicket(p, image)
	if want := easel.At(noon.Add(time.Minute)); until != want {
		t.Errorf("ends %v, want %v", until, want)
	}
	got, err := a.Ticket(ticket, image)
	if err != nil {
		t.Fatal(err)
	}
	want := p
	want.Image = image
	if !got.Expires.Equal(want.Expires) {
		t.Errorf("expires %v, want %v", got.Expires, want.Expires)
	}
	if got.Expires = want.Expires; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	_, err = a.Ticket(ticket, easel.NewID())
	wantCode(t, err, easel.CodeUnauthorized)
	c.pass(time.Minute)
	_, err = a.Ticket(ticket, image)
	wantCode(t, err, easel.CodeUnauthorized)
}

func TestAlteredTicketsAreRefused(t *testing.T) {
	a, _, _ := newAuth(t)
	image := easel.NewID()
	p := easel.Principal{Tenant: auth.Team("", "acme"), User: "ada", Role: easel.Viewer, Expires: noon.Add(time.Hour)}
	ticket, _ := a.NewTicket(p, image)
	for i := range ticket {
		altered := []byte(ticket)
		altered[i] ^= 1
		if _, err := a.Ticket(string(altered), image); err == nil {
			t.Fatalf("accepted with byte %d altered", i)
		}
	}
	for _, bad := range []string{"", ".", ticket[:len(ticket)-1], ticket + "A", ticket + ".", strings.Repeat("A", 1<<20)} {
		_, err := a.Ticket(bad, image)
		wantCode(t, err, easel.CodeUnauthorized)
	}
}

func TestMemberIsRecordedBeforeTheFirstRequestAndAtEveryChange(t *testing.T) {
	a, o, c := newAuth(t)
	p := easel.Principal{Tenant: auth.Team("", "acme"), User: "ada", Name: "Ada", Role: easel.Viewer}
	meet := func(want int) {
		t.Helper()
		if err := a.Meet(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if got := o.count(); got != want {
			t.Errorf("%d messages, want %d", got, want)
		}
	}
	meet(1)
	meet(1)
	p.Role = easel.Admin
	meet(2)
	p.Name = "Ada L."
	meet(3)
	c.pass(5 * time.Minute)
	meet(4)
	p.Key = easel.NewID()
	meet(4)

	o.fail = easel.Errorf(easel.CodeUnavailable, "away")
	p.Key, p.User = "", "bob"
	wantCode(t, a.Meet(t.Context(), p), easel.CodeUnavailable)
	o.fail = nil
	meet(6)
}
