package gallery_test

import (
	"bytes"
	"errors"
	"image"
	_ "image/jpeg" // thumbnails of opaque pictures
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/canvas"
	"github.com/easelhq/easel/gallery"
	"github.com/easelhq/easel/tenant"
)

// read returns a range of the content.
func read(t *testing.T, c gallery.Content, r blob.Range) []byte {
	t.Helper()
	body, err := c.Open(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestThumbnailIsMadeOnceAndKept(t *testing.T) {
	r := newRig(t, nil)
	m, err := r.Upload(t.Context(), anna, gallery.Upload{Filename: "a.png", Body: bytes.NewReader(picture(400, 100))})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			c, err := r.Thumbnail(t.Context(), vera, m.ID, 100)
			if err != nil || c.ContentType != "image/jpeg" || c.Size == 0 {
				t.Errorf("%+v, %v", c, err)
			}
		})
	}
	wg.Wait()
	c, err := r.Thumbnail(t.Context(), vera, m.ID, 128)
	if err != nil {
		t.Fatal(err)
	}
	data := read(t, c, blob.All)
	size, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || size.Width != 128 || size.Height != 32 || int64(len(data)) != c.Size {
		t.Fatalf("%d x %d, %d of %d bytes, %v", size.Width, size.Height, len(data), c.Size, err)
	}
	prefix := "t/" + string(homeTenant) + "/i/" + string(m.ID) + "/"
	if diff := cmp.Diff([]string{prefix + "original", prefix + "thumb-128-sealed"}, r.stored()); diff != "" {
		t.Fatal(diff)
	}
	large, err := r.Thumbnail(t.Context(), vera, m.ID, 1_000_000)
	if err != nil || large.ETag == c.ETag {
		t.Fatalf("%+v, %v", large, err)
	}
	_, err = r.Thumbnail(t.Context(), other, m.ID, 128)
	wantCode(t, err, easel.CodeNotFound)
}

func TestDeletedImageIsGone(t *testing.T) {
	r := newRig(t, nil)
	m := r.upload(anna, "a")
	must[canvas.Empty](r, canvas.Key(homeTenant, m.ID), canvas.SoftDelete{By: canvas.Author{User: "anna", Role: easel.Annotator}})
	_, err := r.Image(t.Context(), anna, m.ID)
	wantCode(t, err, easel.CodeGone)
	_, err = r.Thumbnail(t.Context(), anna, m.ID, 64)
	wantCode(t, err, easel.CodeGone)
	_, _, err = r.PresignImage(t.Context(), anna, m.ID, 0)
	wantCode(t, err, easel.CodeGone)
}

func TestTicketOpensItsImageOnly(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.upload(anna, "a"), r.upload(anna, "b")
	ticket := vera
	ticket.Image = a.ID
	if _, err := r.Image(t.Context(), ticket, a.ID); err != nil {
		t.Fatal(err)
	}
	_, err := r.Image(t.Context(), ticket, b.ID)
	wantCode(t, err, easel.CodeNotFound)
}

func TestFilesAreServedAsTheyWerePut(t *testing.T) {
	r := newRig(t, nil)
	put := gallery.FileUpload{
		Name: "docs/ä b.txt", ContentType: "text/plain", Meta: map[string]string{"k": "v"}, Body: strings.NewReader("hello"),
	}
	f, err := r.PutFile(t.Context(), adam, put)
	if err != nil {
		t.Fatal(err)
	}
	got, c, err := r.File(t.Context(), vera, put.Name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, got); diff != "" {
		t.Fatal(diff)
	}
	if f.Size != 5 || f.ETag != "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" || f.Meta["k"] != "v" || f.ContentType != "text/plain" {
		t.Fatalf("%+v", f)
	}
	if got := string(read(t, c, blob.Range{Offset: 1, Length: 3})); got != "ell" {
		t.Fatalf("range %q", got)
	}
	_, err = c.Open(t.Context(), blob.Range{Offset: 6, Length: -1})
	if !errors.Is(err, blob.ErrRange) {
		t.Fatalf("past the end: %v", err)
	}
	_, _, err = r.File(t.Context(), other, put.Name)
	wantCode(t, err, easel.CodeNotFound)
	if err := r.DeleteFile(t.Context(), adam, put.Name, tenant.Condition{}, actors.Once{}); err != nil {
		t.Fatal(err)
	}
	_, _, err = r.File(t.Context(), vera, put.Name)
	wantCode(t, err, easel.CodeNotFound)
	empty, err := r.PutFile(t.Context(), adam, gallery.FileUpload{Name: "empty", Body: strings.NewReader("")})
	if err != nil || empty.Size != 0 || empty.ContentType != "application/octet-stream" {
		t.Fatalf("%+v, %v", empty, err)
	}
}

func TestRefusedFileLeavesNoBlob(t *testing.T) {
	r := newRig(t, func(c *gallery.Config) { c.MaxFile = 10 })
	broken := errors.New("client went away")
	tests := []struct {
		name string
		by   easel.Principal
		put  gallery.FileUpload
		code easel.Code
	}{
		{"viewer", vera, gallery.FileUpload{Name: "a", Body: strings.NewReader("x")}, easel.CodeForbidden},
		{"annotator elsewhere", anna, gallery.FileUpload{Name: "a", Body: strings.NewReader("x")}, easel.CodeForbidden},
		{"bad name", adam, gallery.FileUpload{Name: "", Body: strings.NewReader("x")}, easel.CodeInvalid},
		{"condition", adam, gallery.FileUpload{Name: "a", If: tenant.Condition{IfMatch: "x"}, Body: strings.NewReader("x")}, easel.CodeConflict},
		{"condition, with a key", adam, gallery.FileUpload{Name: "a", If: tenant.Condition{IfMatch: "x"}, Body: strings.NewReader("x"), Once: actors.Once{ID: "k"}}, easel.CodeConflict},
		{"too large", adam, gallery.FileUpload{Name: "a", Body: strings.NewReader("12345678901")}, easel.CodeTooLarge},
		{"too much meta", adam, gallery.FileUpload{Name: "a", Meta: map[string]string{"a": strings.Repeat("x", 9000)}, Body: strings.NewReader("x")}, easel.CodeInvalid},
		{"body fails", adam, gallery.FileUpload{Name: "a", Body: failing{broken}}, easel.CodeInternal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := r.PutFile(t.Context(), tt.by, tt.put)
			wantCode(t, err, tt.code)
			if left := r.stored(); len(left) > 0 {
				t.Fatalf("left %v", left)
			}
		})
	}
	name := tenant.OwnPrefix("anna") + "a"
	if _, err := r.PutFile(t.Context(), anna, gallery.FileUpload{Name: name, Body: strings.NewReader("0123456789")}); err != nil {
		t.Fatal(err)
	}
}

func TestFileWithAKeyIsPutOnce(t *testing.T) {
	r := newRig(t, nil)
	put := func(key, body string) (tenant.File, error) {
		return r.PutFile(t.Context(), adam, gallery.FileUpload{
			Name: "a", If: tenant.Condition{IfAbsent: true}, Body: strings.NewReader(body), Once: actors.Once{ID: key},
		})
	}
	first, err := put("k", "one")
	if err != nil {
		t.Fatal(err)
	}
	again, err := put("k", "one")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Fatal(diff)
	}
	_, err = put("k", "two")
	wantCode(t, err, easel.CodeInvalid)
	_, err = put("k2", "one")
	wantCode(t, err, easel.CodeConflict)
	if n := len(r.stored()); n != 1 {
		t.Fatalf("%d blobs", n)
	}
	for range 2 {
		if err := r.DeleteFile(t.Context(), adam, "a", tenant.Condition{}, actors.Once{ID: "d"}); err != nil {
			t.Fatal(err)
		}
	}
}

// Two tenants do the same, and neither sees anything of the other.
func TestTenantsSeeOnlyTheirOwn(t *testing.T) {
	r := newRig(t, nil)
	owners := []easel.Principal{principal(homeTenant, "anna", easel.Owner), other}
	for _, p := range owners {
		r.upload(p, "image of "+string(p.Tenant))
		if _, err := r.PutFile(t.Context(), p, gallery.FileUpload{Name: "f", Body: strings.NewReader(string(p.Tenant))}); err != nil {
			t.Fatal(err)
		}
		by := tenant.Author{User: p.User, Role: p.Role}
		must[tenant.KVStored](r, tenant.Key(p.Tenant), tenant.KVPut{By: by, Key: "k", Value: []byte(p.Tenant)})
		must[tenant.KeyCreated](r, tenant.Key(p.Tenant), tenant.KeyCreate{By: by, Name: string(p.Tenant), Role: easel.Viewer, Secret: tenant.HashSecret("x")})
		must[tenant.Empty](r, tenant.Key(p.Tenant), tenant.Seen{User: "anna", Name: string(p.Tenant), Role: easel.Owner})
	}
	for _, p := range owners {
		key := tenant.Key(p.Tenant)
		images := must[tenant.ImagesReply](r, key, tenant.Images{}).Images
		if len(images) != 1 || images[0].Filename != "image of "+string(p.Tenant) {
			t.Errorf("images %+v", images)
		}
		_, c, err := r.File(t.Context(), p, "f")
		if err != nil {
			t.Fatal(err)
		}
		if got := string(read(t, c, blob.All)); got != string(p.Tenant) {
			t.Errorf("file %q", got)
		}
		if got := must[tenant.KVValue](r, key, tenant.KVGet{Key: "k"}); string(got.Value) != string(p.Tenant) {
			t.Errorf("value %q", got.Value)
		}
		keys := must[tenant.KeyListReply](r, key, tenant.KeyList{By: tenant.Author{Role: easel.Owner}}).Keys
		if len(keys) != 1 || keys[0].Name != string(p.Tenant) {
			t.Errorf("keys %+v", keys)
		}
		if got := must[tenant.MemberReply](r, key, tenant.Member{User: "anna"}); got.Name != string(p.Tenant) {
			t.Errorf("member %+v", got)
		}
		used := must[tenant.UsageReply](r, key, tenant.Usage{}).Used
		if used.Images != 1 || used.Files != 1 || used.KVKeys != 1 || used.Keys != 1 || used.Members != 1 {
			t.Errorf("used %+v", used)
		}
	}
}
