package tenant_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/tenant"
)

func TestWhoMayWriteWhere(t *testing.T) {
	own := tenant.OwnPrefix("anna")
	if own != "u/YW5uYQ/" {
		t.Fatalf("own prefix %q", own)
	}
	tests := []struct {
		name string
		by   tenant.Author
		key  string
		ok   bool
	}{
		{"viewer, own prefix", tenant.Author{User: "anna", Role: easel.Viewer}, own + "a", false},
		{"annotator, own prefix", annotator, own + "a", true},
		{"annotator, deep in own prefix", annotator, own + "a/b/c", true},
		{"annotator, elsewhere", annotator, "a", false},
		{"annotator, somebody else's", annotator, tenant.OwnPrefix("bob") + "a", false},
		{"annotator, prefix without its slash", annotator, "u/YW5uYQ", false},
		{"annotator, a longer name", annotator, "u/YW5uYQx/a", false},
		{"reviewer, own prefix", reviewer, tenant.OwnPrefix("rita") + "a", true},
		{"reviewer, elsewhere", reviewer, "a", false},
		{"admin, anywhere", admin, own + "a", true},
		{"owner, anywhere", owner, "a", true},
		{"no role", tenant.Author{User: "anna"}, own + "a", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tenant.Options{})
			for _, m := range []tenant.FilePut{{By: tt.by, Blob: "t/" + home + "/f/1", File: tenant.File{Name: tt.key, ETag: "e"}}} {
				if tt.ok {
					must[tenant.KVStored](w, tenant.KVPut{By: tt.by, Key: tt.key, Value: []byte("v")})
					must[tenant.Empty](w, tenant.KVDelete{By: tt.by, Key: tt.key})
					must[tenant.Empty](w, tenant.FileCheck{By: tt.by, Name: tt.key})
					must[tenant.FileReply](w, m)
					must[tenant.Empty](w, tenant.FileDelete{By: tt.by, Name: tt.key})
					continue
				}
				w.refused(easel.CodeForbidden, tenant.KVPut{By: tt.by, Key: tt.key, Value: []byte("v")})
				w.refused(easel.CodeForbidden, tenant.KVDelete{By: tt.by, Key: tt.key})
				w.refused(easel.CodeForbidden, tenant.FileCheck{By: tt.by, Name: tt.key})
				w.refused(easel.CodeForbidden, m)
				w.refused(easel.CodeForbidden, tenant.FileDelete{By: tt.by, Name: tt.key})
			}
		})
	}
}

func TestKeyRules(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	for _, key := range []string{"a", "a/b//c", " ", "ключ", strings.Repeat("x", 512)} {
		must[tenant.KVStored](w, tenant.KVPut{By: admin, Key: key})
		if got := must[tenant.KVValue](w, tenant.KVGet{Key: key}); got.Entry.Key != key || len(got.Value) != 0 {
			t.Errorf("%q: %+v", key, got)
		}
	}
	for _, key := range []string{"", strings.Repeat("x", 513), "bad\xff", "nul\x00"} {
		w.refused(easel.CodeInvalid, tenant.KVPut{By: admin, Key: key})
		w.refused(easel.CodeNotFound, tenant.KVGet{Key: key})
	}
	w.refused(easel.CodeInvalid, tenant.KVPut{By: admin, Key: "a", TTL: -1})
	w.refused(easel.CodeInvalid, tenant.KVPut{By: admin, Key: "a", TTL: 1 << 60})
	w.refused(easel.CodeTooLarge, tenant.KVPut{By: admin, Key: "a", Value: make([]byte, tenant.MaxValue+1)})
	big := bytes.Repeat([]byte{0, 255, '\n'}, tenant.MaxValue/3)
	must[tenant.KVStored](w, tenant.KVPut{By: admin, Key: "big", Value: big})
	if got := must[tenant.KVValue](w, tenant.KVGet{Key: "big"}); !bytes.Equal(got.Value, big) {
		t.Error("a value changed on its way")
	}
}

func TestValuesExpire(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	stored := must[tenant.KVStored](w, tenant.KVPut{By: admin, Key: "a", Value: []byte("123"), TTL: 60})
	if want := easel.At(w.now.Add(time.Minute)); stored.ExpiresAt != want {
		t.Fatalf("expires at %v", stored.ExpiresAt)
	}
	must[tenant.KVStored](w, tenant.KVPut{By: admin, Key: "b", Value: []byte("45")})
	must[tenant.KVStored](w, tenant.KVPut{By: admin, Key: "c", Value: []byte("6"), TTL: 7200})
	w.now = w.now.Add(time.Minute - time.Millisecond)
	must[tenant.KVValue](w, tenant.KVGet{Key: "a"})
	w.now = w.now.Add(time.Millisecond) // no alarm has rung: it is absent all the same
	w.refused(easel.CodeNotFound, tenant.KVGet{Key: "a"})
	w.refused(easel.CodeNotFound, tenant.KVDelete{By: admin, Key: "a"})
	w.refused(easel.CodeConflict, tenant.KVPut{By: admin, Key: "a", If: tenant.Condition{IfMatch: "*"}})
	if got := must[tenant.KVListReply](w, tenant.KVList{}); len(got.Keys) != 2 {
		t.Fatalf("listed %+v", got.Keys)
	}
	if got := w.used(); got.KVKeys != 3 || got.KVBytes != 6 {
		t.Fatalf("used %+v", got)
	}
	w.pass(0)
	if got := w.used(); got.KVKeys != 2 || got.KVBytes != 3 || got.Bytes != 3 {
		t.Fatalf("used %+v", got)
	}
	w.pass(3 * time.Hour)
	if got := w.used(); got.KVKeys != 1 || got.KVBytes != 2 {
		t.Fatalf("used %+v", got)
	}
	if len(w.alarms) != 0 {
		t.Fatalf("alarms left: %v", w.alarms)
	}
	// An earlier expiry moves the alarm forward; a new value without one outlives it.
	must[tenant.KVStored](w, tenant.KVPut{By: admin, Key: "d", TTL: 3600})
	must[tenant.KVStored](w, tenant.KVPut{By: admin, Key: "e", TTL: 60})
	must[tenant.KVStored](w, tenant.KVPut{By: admin, Key: "d"})
	w.pass(2 * time.Hour)
	if got := w.used(); got.KVKeys != 2 {
		t.Fatalf("used %+v", got)
	}
}

func TestManyValuesExpireInShortTurns(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	for i := range 1200 {
		must[tenant.KVStored](w, tenant.KVPut{By: admin, Key: fmt.Sprint(i), TTL: 1})
	}
	w.pass(2 * time.Second)
	if got := w.used(); got.KVKeys != 0 {
		t.Fatalf("used %+v", got)
	}
}

func TestValuesCompareAndSet(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	w.refused(easel.CodeConflict, tenant.KVPut{By: admin, Key: "a", If: tenant.Condition{IfMatch: "*"}})
	e := w.refused(easel.CodeConflict, tenant.KVPut{By: admin, Key: "a", If: tenant.Condition{IfMatch: "x"}})
	if string(e.Current) != "null" {
		t.Errorf("current %s", e.Current)
	}
	first := must[tenant.KVStored](w, tenant.KVPut{By: admin, Key: "a", Value: []byte("1"), If: tenant.Condition{IfAbsent: true}})
	e = w.refused(easel.CodeConflict, tenant.KVPut{By: admin, Key: "a", If: tenant.Condition{IfAbsent: true}})
	var current struct{ ETag string }
	if err := json.Unmarshal(e.Current, &current); err != nil || current.ETag != first.ETag {
		t.Errorf("current %s, want %s", e.Current, first.ETag)
	}
	must[tenant.KVStored](w, tenant.KVPut{By: admin, Key: "a", Value: []byte("2"), If: tenant.Condition{IfMatch: first.ETag}})
	again := must[tenant.KVStored](w, tenant.KVPut{By: admin, Key: "a", Value: []byte("1"), If: tenant.Condition{IfMatch: "*"}})
	if again.ETag == first.ETag {
		t.Error("a value that was changed and changed back has its old etag")
	}
	w.refused(easel.CodeConflict, tenant.KVDelete{By: admin, Key: "a", If: tenant.Condition{IfMatch: first.ETag}})
	must[tenant.Empty](w, tenant.KVDelete{By: admin, Key: "a", If: tenant.Condition{IfMatch: again.ETag}})
	w.refused(easel.CodeNotFound, tenant.KVDelete{By: admin, Key: "a"})
}

func TestKeysAreListedInByteOrder(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	for _, key := range []string{"b", "a/2", "ä", "a", "a/10", "A", "a%", "a/1"} {
		must[tenant.KVStored](w, tenant.KVPut{By: admin, Key: key, Value: []byte(key)})
	}
	list := func(prefix string, limit int) []string {
		keys := []string{}
		for ask := (tenant.KVList{Prefix: prefix, Limit: limit}); ; {
			page := must[tenant.KVListReply](w, ask)
			for _, e := range page.Keys {
				keys = append(keys, e.Key)
				if e.Size != int64(len(e.Key)) || e.ETag == "" || e.UpdatedAt != easel.At(w.now) {
					t.Errorf("entry %+v", e)
				}
			}
			if ask.Cursor = page.Next; page.Next == "" {
				return keys
			}
		}
	}
	tests := []struct {
		prefix string
		want   []string
	}{
		{"", []string{"A", "a", "a%", "a/1", "a/10", "a/2", "b", "ä"}},
		{"a", []string{"a", "a%", "a/1", "a/10", "a/2"}},
		{"a/", []string{"a/1", "a/10", "a/2"}},
		{"a%", []string{"a%"}},
		{"c", []string{}},
	}
	for _, tt := range tests {
		for _, limit := range []int{0, 1, 2, 1000, -5} {
			if diff := cmp.Diff(tt.want, list(tt.prefix, limit)); diff != "" {
				t.Errorf("prefix %q by %d: %s", tt.prefix, limit, diff)
			}
		}
	}
}

func TestValuesCountAgainstTheQuota(t *testing.T) {
	w := newWorld(t, tenant.Options{MaxBytes: 10})
	must[tenant.KVStored](w, tenant.KVPut{By: admin, Key: "a", Value: make([]byte, 8)})
	w.refused(easel.CodeRateLimited, tenant.KVPut{By: admin, Key: "b", Value: make([]byte, 3)})
	must[tenant.KVStored](w, tenant.KVPut{By: admin, Key: "a", Value: make([]byte, 10)})
	must[tenant.KVStored](w, tenant.KVPut{By: admin, Key: "a", Value: make([]byte, 2)})
	must[tenant.KVStored](w, tenant.KVPut{By: admin, Key: "b", Value: make([]byte, 8)})
}

// Values behave like a map of Go, whatever is done to them in whatever order.
func TestValuesAreAMap(t *testing.T) {
	w := newWorld(t, tenant.Options{})
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		type value struct {
			data    []byte
			etag    string
			expires time.Time // zero: never
		}
		model := map[string]value{}
		seen := map[string]bool{}
		prefix := fmt.Sprintf("%d/", run) // each run has keys of its own in the one file
		key := rapid.Map(rapid.SampledFrom([]string{"a", "b", "c/d"}), func(s string) string { return prefix + s })
		live := func(k string) (value, bool) {
			v, ok := model[k]
			return v, ok && (v.expires.IsZero() || v.expires.After(w.now))
		}
		condition := func(rt *rapid.T, k string) (c tenant.Condition, holds bool) {
			v, ok := live(k)
			switch rapid.IntRange(0, 4).Draw(rt, "condition") {
			case 1:
				return tenant.Condition{IfMatch: "*"}, ok
			case 2:
				return tenant.Condition{IfAbsent: true}, !ok
			case 3:
				return tenant.Condition{IfMatch: "stale"}, false
			case 4:
				if ok {
					return tenant.Condition{IfMatch: v.etag}, true
				}
			}
			return tenant.Condition{}, true
		}
		rt.Repeat(map[string]func(*rapid.T){
			"put": func(rt *rapid.T) {
				k := key.Draw(rt, "key")
				c, holds := condition(rt, k)
				v := value{data: rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(rt, "value")}
				ttl := rapid.SampledFrom([]int64{0, 0, 1, 30}).Draw(rt, "ttl")
				if ttl > 0 {
					v.expires = w.now.Add(time.Duration(ttl) * time.Second)
				}
				answer, err := w.ask(tenant.KVPut{By: admin, Key: k, Value: v.data, TTL: ttl, If: c})
				if holds != (err == nil) || err != nil && easel.CodeOf(err) != easel.CodeConflict {
					rt.Fatalf("put %s if %+v: %v", k, c, err)
				}
				if err == nil {
					v.etag = answer.(tenant.KVStored).ETag
					if seen[v.etag] {
						rt.Fatalf("etag %s was used before", v.etag)
					}
					seen[v.etag] = true
					model[k] = v
				}
			},
			"delete": func(rt *rapid.T) {
				k := key.Draw(rt, "key")
				c, holds := condition(rt, k)
				_, there := live(k)
				want := easel.Code("")
				switch {
				case !holds:
					want = easel.CodeConflict
				case !there:
					want = easel.CodeNotFound
				}
				if _, err := w.ask(tenant.KVDelete{By: admin, Key: k, If: c}); easel.CodeOf(err) != want {
					rt.Fatalf("delete %s if %+v: %v, want %q", k, c, err, want)
				}
				if want == "" {
					delete(model, k)
				}
			},
			"pass": func(rt *rapid.T) {
				w.pass(time.Duration(rapid.IntRange(0, 40_000).Draw(rt, "ms")) * time.Millisecond)
			},
			"": func(rt *rapid.T) {
				want := map[string]string{}
				for k := range model {
					if v, ok := live(k); ok {
						want[k] = v.etag
						got, err := w.ask(tenant.KVGet{Key: k})
						if err != nil || !bytes.Equal(got.(tenant.KVValue).Value, v.data) {
							rt.Fatalf("get %s: %v, %v", k, got, err)
						}
					}
				}
				got := map[string]string{}
				answer, err := w.ask(tenant.KVList{Prefix: prefix})
				if err != nil {
					rt.Fatal(err)
				}
				for _, e := range answer.(tenant.KVListReply).Keys {
					got[e.Key] = e.ETag
				}
				if diff := cmp.Diff(want, got); diff != "" {
					rt.Fatal(diff)
				}
			},
		})
	})
}
