package client_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/client"
)

// must fails the test for an error and returns the value.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// all collects what a list yields.
func all[T any](t *testing.T, list func(func(T, error) bool)) []T {
	t.Helper()
	var out []T
	for v, err := range list {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// content reads and closes what a method has opened.
func content(t *testing.T) func(io.ReadCloser, error) []byte {
	return func(r io.ReadCloser, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		return must[[]byte](t)(io.ReadAll(r))
	}
}

func wantCode(t *testing.T, err error, want easel.Code) {
	t.Helper()
	if err == nil || easel.CodeOf(err) != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestClientTellsWhoSomebodyIs(t *testing.T) {
	c := newStage(t).as("ada", "owner")
	ctx := t.Context()
	if got, want := must[client.Identity](t)(c.Me(ctx)), (client.Identity{User: "ada", Tenant: "demo", Role: easel.Owner, Name: "ada"}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if user := must[client.User](t)(c.User(ctx, "ada")); user.ID != "ada" || user.Role != easel.Owner || user.LastSeenAt == 0 {
		t.Errorf("%+v", user)
	}
	_, err := c.User(ctx, "never/seen")
	wantCode(t, err, easel.CodeNotFound)
	if usage := must[client.Usage](t)(c.Usage(ctx)); usage.Used["members"] != 1 || usage.Limits["image_annotations"] == 0 {
		t.Errorf("%+v", usage)
	}
	if health := must[client.Health](t)(c.Health(ctx)); health.Status != "ok" || health.Node == "" {
		t.Errorf("%+v", health)
	}
	nodes := must[client.Cluster](t)(c.Cluster(ctx, ""))
	if len(nodes.Members) != 1 || nodes.Members[0].Name != nodes.Node || nodes.Members[0].Load == nil {
		t.Errorf("%+v", nodes)
	}

	made, secret, err := c.CreateKey(ctx, "robot", easel.Annotator, time.Hour)
	if err != nil || !strings.HasPrefix(secret, "easel_") || made.ExpiresAt == 0 {
		t.Fatalf("%+v %q %v", made, secret, err)
	}
	if keys := all(t, c.Keys(ctx)); len(keys) != 1 || keys[0].ID != made.ID || keys[0].Name != "robot" || keys[0].CreatedBy != "ada" {
		t.Errorf("%+v", keys)
	}
	if err := c.DeleteKey(ctx, made.ID); err != nil {
		t.Fatal(err)
	}
	if keys := all(t, c.Keys(ctx)); len(keys) != 0 {
		t.Errorf("%+v after it was revoked", keys)
	}
	wantCode(t, c.EraseTenant(ctx, "another"), easel.CodeInvalid)
	if err := c.EraseTenant(ctx, "demo"); err != nil {
		t.Fatal(err)
	}
}

func TestClientKeepsImages(t *testing.T) {
	c := newStage(t).as("ada", "admin")
	ctx := t.Context()
	image := must[easel.Image](t)(c.Upload(ctx, "cat.png", picture()))
	if got := must[easel.Image](t)(c.Rename(ctx, image.ID, "dog.png")); got.Filename != "dog.png" {
		t.Errorf("name %q", got.Filename)
	}
	if got := must[easel.Image](t)(c.Describe(ctx, image.ID, json.RawMessage(`{"state":"done"}`))); string(got.Metadata) != `{"state":"done"}` {
		t.Errorf("metadata %s", got.Metadata)
	}
	if got := must[client.Progress](t)(c.Progress(ctx, client.ImageFilter{Filename: "DOG"})); got != (client.Progress{Done: 1}) {
		t.Errorf("%+v", got)
	}
	if got := all(t, c.Images(ctx, client.ImageFilter{State: "done", UploadedBy: "ada"})); len(got) != 1 || got[0].ID != image.ID {
		t.Errorf("%+v", got)
	}
	if got := must[client.Tiles](t)(c.Tiles(ctx, image.ID)); got.State != "none" {
		t.Errorf("a small picture: %+v", got)
	}
	_, err := c.Tile(ctx, image.ID, 0, 0, 0)
	wantCode(t, err, easel.CodeNotFound)
	want := must[[]byte](t)(io.ReadAll(picture()))
	if got := content(t)(c.Picture(ctx, image.ID)); !bytes.Equal(got, want) {
		t.Errorf("%d bytes of picture, want %d", len(got), len(want))
	}
	if got := content(t)(c.Thumbnail(ctx, image.ID, 64)); len(got) == 0 {
		t.Error("empty thumbnail")
	}
	if got := content(t)(c.SQLite(ctx, image.ID)); !bytes.HasPrefix(got, []byte("SQLite format 3")) {
		t.Errorf("no SQLite file: %.20q", got)
	}
	address, until, err := c.PictureURL(ctx, image.ID)
	if err != nil || until == 0 {
		t.Fatal(until, err)
	}
	ticket, _, err := c.Ticket(ctx, image.ID)
	if err != nil {
		t.Fatal(err)
	}
	base, _, _ := strings.Cut(address, "/signed/")
	for _, open := range []string{address, base + "/api/images/" + string(image.ID) + "/file?ticket=" + ticket} {
		res := must[*http.Response](t)(http.Get(open))
		got := must[[]byte](t)(io.ReadAll(res.Body))
		_ = res.Body.Close()
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %s", open, res.Status)
		}
	}
	if err := c.DeleteImage(ctx, image.ID); err != nil {
		t.Fatal(err)
	}
	_, err = c.Image(ctx, image.ID)
	wantCode(t, err, easel.CodeGone)
	_, err = c.Picture(ctx, image.ID)
	wantCode(t, err, easel.CodeGone)
	if got := must[easel.Image](t)(c.RestoreImage(ctx, image.ID)); got.DeletedAt != 0 {
		t.Errorf("%+v", got)
	}
}

func TestClientBringsBackWhatWas(t *testing.T) {
	s := newStage(t)
	ada, bob := s.as("ada", "reviewer"), s.as("bob", "annotator")
	ctx := t.Context()
	image := must[easel.Image](t)(ada.Upload(ctx, "cat.png", picture())).ID
	box := easel.Draft{Label: "cat", X: 0.25, Y: 0.25, Width: 0.5, Height: 0.5}
	ops := []easel.Op{client.Put(box)}
	first := must[client.Ack](t)(ada.Apply(ctx, image, "script", 1, ops))
	if again := must[client.Ack](t)(ada.Apply(ctx, image, "script", 1, ops)); !cmp.Equal(again, first) {
		t.Errorf("repeated: %+v, want %+v", again, first)
	}
	id := first.Results[0].ID
	dog := "dog"
	must[easel.Annotation](t)(bob.Change(ctx, image, id, easel.Patch{Label: &dog}, 1))

	label := func() string { return must[easel.Annotation](t)(ada.Annotation(ctx, image, id)).Label }
	var seen []string
	for _, b := range all(t, ada.Batches(ctx, image, 0)) {
		seen = append(seen, b.By+" "+b.Ops[0].Annotation.Label)
	}
	if want := []string{"ada cat", "bob dog"}; !cmp.Equal(seen, want) {
		t.Errorf("batches %v, want %v", seen, want)
	}
	then, version, err := ada.AnnotationsAt(ctx, image, client.Moment{Version: 1})
	if err != nil || version != 1 || len(then) != 1 || then[0].Label != "cat" {
		t.Errorf("at 1: %+v at %d, %v", then, version, err)
	}
	_, _, err = ada.AnnotationsAt(ctx, image, client.Moment{Version: 99})
	wantCode(t, err, easel.CodeInvalid)
	if row := must[easel.Image](t)(ada.ImageAt(ctx, image, client.Moment{Time: time.Now()})); row.Version != 2 {
		t.Errorf("row at version %d, want 2", row.Version)
	}
	for _, revert := range []struct {
		name string
		how  func() (client.Reverted, error)
		want string
	}{
		{"a user's work", func() (client.Reverted, error) { return ada.RevertUser(ctx, image, "bob", client.Moment{Version: 1}) }, "cat"},
		{"one annotation", func() (client.Reverted, error) { return ada.RevertAnnotation(ctx, image, id) }, "dog"},
		{"the image", func() (client.Reverted, error) { return ada.Revert(ctx, image, 1) }, "cat"},
	} {
		got := must[client.Reverted](t)(revert.how())
		if want := []easel.ID{id}; !cmp.Equal(got.Annotations, want) || label() != revert.want {
			t.Errorf("revert of %s: %+v, then %q, want %v and %q", revert.name, got, label(), want, revert.want)
		}
	}
	_, err = bob.Revert(ctx, image, 1)
	wantCode(t, err, easel.CodeForbidden)

	said := must[client.Message](t)(bob.Say(ctx, image, "sorry"))
	if got := must[[]client.Message](t)(ada.Messages(ctx, image, "")); !cmp.Equal(got, []client.Message{said}) {
		t.Errorf("%+v, want %+v", got, said)
	}
	if got := must[[]client.Message](t)(ada.Messages(ctx, image, said.ID)); len(got) != 0 {
		t.Errorf("%+v after the last", got)
	}
}

func TestClientKeepsValuesAndFiles(t *testing.T) {
	c := newStage(t).as("ada", "admin")
	ctx := t.Context()
	const key = "a/b c%?"
	etag := must[string](t)(c.PutValue(ctx, key, []byte("one"), time.Minute, client.Condition{Absent: true}))
	_, err := c.PutValue(ctx, key, []byte("two"), 0, client.Condition{Absent: true})
	wantCode(t, err, easel.CodeConflict)
	value, tag, err := c.Value(ctx, key)
	if err != nil || string(value) != "one" || tag != etag {
		t.Errorf("%q %q %v, want etag %q", value, tag, err, etag)
	}
	if got := all(t, c.Values(ctx, "a/")); len(got) != 1 || got[0].Key != key || got[0].Size != 3 || got[0].ETag != etag || got[0].ExpiresAt == 0 {
		t.Errorf("%+v", got)
	}
	wantCode(t, c.DeleteValue(ctx, key, client.Condition{ETag: "other"}), easel.CodeConflict)
	if err := c.DeleteValue(ctx, key, client.Condition{ETag: etag}); err != nil {
		t.Fatal(err)
	}
	_, _, err = c.Value(ctx, key)
	wantCode(t, err, easel.CodeNotFound)

	file := client.File{Name: "models/v 1.json", ContentType: "application/json", Meta: map[string]string{"author": "ada"}}
	file.ETag = must[string](t)(c.PutFile(ctx, file, strings.NewReader(`{"of":"mine"}`), client.Condition{}))
	file.Size = 13
	got, body, err := c.File(ctx, file.Name)
	if text := content(t)(body, err); string(text) != `{"of":"mine"}` || !cmp.Equal(got, file) {
		t.Errorf("%q of %+v, want %+v", text, got, file)
	}
	if list := all(t, c.Files(ctx, "models/")); len(list) != 1 || list[0].Name != file.Name || list[0].UpdatedBy != "ada" || !cmp.Equal(list[0].Meta, file.Meta) {
		t.Errorf("%+v", list)
	}
	if err := c.DeleteFile(ctx, file.Name, client.Condition{ETag: file.ETag}); err != nil {
		t.Fatal(err)
	}
	_, _, err = c.File(ctx, file.Name)
	wantCode(t, err, easel.CodeNotFound)
}
