package tenant_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/migrations"
	"github.com/easelhq/easel/sqlite"
	"github.com/easelhq/easel/tenant"
)

// TestFilesOfTheFirstReleaseOpen opens a file that version 0.1 has made: a member,
// a value, a service key and an image.
func TestFilesOfTheFirstReleaseOpen(t *testing.T) {
	scripts, err := migrations.Tenant()
	if err != nil {
		t.Fatal(err)
	}
	schema, err := actors.NewSchema("tenant", scripts)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("testdata/tenant-v0.1.db")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "tenant.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(path, schema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, db: db, state: tenant.New(tenant.Options{}), now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), alarms: map[string]time.Time{}}
	if m := must[tenant.MemberReply](w, tenant.Member{User: "anna"}); m.Name != "Anna" {
		t.Errorf("member %+v", m)
	}
	if v := must[tenant.KVValue](w, tenant.KVGet{Key: "k"}); string(v.Value) != "v" {
		t.Errorf("value %q", v.Value)
	}
	key := tenant.KeyCheck{ID: "01a2016570fa76e4b6f46cc678214777", Secret: "secret"}
	if k := must[tenant.KeyReply](w, key); k.Role != easel.Annotator || k.Tenant != "acme" {
		t.Errorf("key %+v", k)
	}
	if list := must[tenant.ImagesReply](w, tenant.Images{Limit: 10}).Images; len(list) != 1 || list[0].Filename != "cat.png" {
		t.Errorf("images %+v", list)
	}
	if list := must[tenant.ImagesReply](w, tenant.Images{Progress: tenant.ProgressNew}).Images; len(list) != 1 {
		t.Errorf("new images %+v", list)
	}
	if s := must[tenant.SchemaReply](w, tenant.Schema{}); s.Version != 0 || !s.Open {
		t.Errorf("schema %+v", s)
	}
	must[tenant.SchemaReply](w, tenant.SchemaPut{By: admin, Schema: labels("cat")})
	w.list("dog.png")
}
