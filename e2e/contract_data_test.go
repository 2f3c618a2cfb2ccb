package e2e_test

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/blob/blobtest"
)

// query runs a query of one text column on a file.
func query(t *testing.T, path, text string) string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var out string
	if err := db.QueryRowContext(t.Context(), text).Scan(&out); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out
}

func TestAnImageIsASQLiteFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, vera := s.as("acme", "ada", ""), s.as("acme", "vera", "viewer")
	row := ada.upload(t, "photo.png", picture(20, 10, 1))
	for i := range 3 {
		ada.draw(t, row.ID, fmt.Sprint("label ", i))
	}
	ada.must(t, http.StatusOK, "POST", "/api/images/"+row.ID+"/ops", raw(
		`{"client":"secret-client","seq":1,"ops":[{"k":"put","annotation":{"label":"op","x":0,"y":0,"width":1,"height":1}}]}`))
	ada.must(t, http.StatusCreated, "POST", "/api/images/"+row.ID+"/messages", raw(`{"text":"hello"}`))
	path := "/api/images/" + row.ID + "/sqlite"

	got := vera.must(t, http.StatusOK, "GET", path, nil)
	for name, want := range map[string]string{
		"Content-Type": "application/vnd.sqlite3", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "sandbox; default-src 'none'",
		"Content-Disposition":     `attachment; filename="` + row.ID + `.sqlite"`,
	} {
		if is := got.header.Get(name); is != want {
			t.Errorf("%s: %q, want %q", name, is, want)
		}
	}
	if v := got.header.Get("X-Easel-Version"); !strings.HasSuffix(v, ":4") {
		t.Errorf("X-Easel-Version %q", v)
	}
	if bytes.Contains(got.body, []byte("secret-client")) {
		t.Error("a client's id is in the file")
	}
	file := filepath.Join(t.TempDir(), "image.sqlite")
	writeFile(t, file, got.body)
	for text, want := range map[string]string{
		"SELECT group_concat(label) FROM (SELECT label FROM annotation ORDER BY version)": "label 0,label 1,label 2,op",
		"SELECT text FROM message":              "hello",
		"SELECT filename || version FROM image": "photo.png4",
		"SELECT count(*) FROM batch":            "4",
		"PRAGMA integrity_check":                "ok",
	} {
		if is := query(t, file, text); is != want {
			t.Errorf("%s: %s, want %s", text, is, want)
		}
	}
	if program, err := exec.LookPath("sqlite3"); err == nil {
		out, err := exec.CommandContext(t.Context(), program, file, "SELECT count(*) FROM annotation").CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != "4" {
			t.Errorf("sqlite3: %v: %s", err, out)
		}
	}
	tag := got.header.Get("ETag")
	vera.must(t, http.StatusNotModified, "GET", path, nil, "If-None-Match", tag)
	part := vera.must(t, http.StatusPartialContent, "GET", path, nil, "Range", "bytes=0-15", "If-Range", tag)
	if string(part.body) != "SQLite format 3\x00" {
		t.Errorf("the first bytes are %q", part.body)
	}
	ada.draw(t, row.ID, "more")
	if again := vera.must(t, http.StatusOK, "GET", path, nil, "If-None-Match", tag); again.header.Get("ETag") == tag {
		t.Error("another version has the same tag")
	}
	s.anonymous().refused(t, "unauthorized", "GET", path, nil)
	s.as("evil", "eve", "owner").refused(t, "not_found", "GET", path, nil)
	ada.must(t, http.StatusNoContent, "DELETE", "/api/images/"+row.ID, nil)
	ada.refused(t, "gone", "GET", path, nil)
	if left, err := os.ReadDir(filepath.Join(s.data, "copies")); err != nil || len(left) > 0 {
		t.Errorf("copies are left: %v, %v", left, err)
	}
}

// ran runs a command and returns its exit code and output.
func ran(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	b, err := command(t.Context(), args...).CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), string(b)
	} else if err != nil {
		t.Fatal(err)
	}
	return 0, string(b)
}

func wantExit(t *testing.T, want int, text string, args ...string) string {
	t.Helper()
	code, out := ran(t, args...)
	if code != want || !strings.Contains(out, text) {
		t.Fatalf("easel %s: exit code %d, want %d and %q in\n%s", strings.Join(args, " "), code, want, text, out)
	}
	return out
}

// bucket returns what --store takes for a bucket of a server, see startS3, and the
// objects below its prefix.
func bucket(t *testing.T, server string) (store string, objects *blob.S3) {
	t.Helper()
	endpoint := startS3(t, server)
	return homeOn(endpoint), openFake(t, blob.S3Options{Bucket: blobtest.Bucket, Endpoint: endpoint})
}

// TestDataOnS3 does on a real server what the tests beside do on one in this
// process.
func TestDataOnS3(t *testing.T) {
	t.Parallel()
	t.Run("moves", func(t *testing.T) { aTenantMoves(t, *s3Server) })
	t.Run("is erased", func(t *testing.T) { erasedFromABucket(t, *s3Server) })
}

// TestATenantMovesBetweenStores goes from a folder through a folder into a bucket,
// and from there through a tar into another folder.
func TestATenantMovesBetweenStores(t *testing.T) {
	t.Parallel()
	aTenantMoves(t, "fake")
}

func aTenantMoves(t *testing.T, server string) {
	t.Helper()
	root := t.TempDir()
	at := func(name string) string { return filepath.Join(root, name) }
	first, last := "dir:"+at("first"), "dir:"+at("last")
	middle, _ := bucket(t, server)
	n := newSite(t, "--store="+first, "--chores=off")
	says := fillOldStore(t, n)
	says = slices.DeleteFunc(says, func(e expectation) bool { return e.Tenant != "acme" })
	wantExit(t, 2, "in use by pid", "export", "--store="+first, "--tenant=acme", "--to="+at("out"))
	wantExit(t, 2, "in use by pid", "verify", "--store="+first)
	n.stop(t)

	wantExit(t, 2, "--tenant", "export", "--store="+first, "--tenant=nobody", "--to="+at("none"))
	wantExit(t, 0, "exported acme", "export", "--store="+first, "--tenant=acme", "--to="+at("out"))
	if got := query(t, at("out/tenant.sqlite"), "SELECT count(*) FROM image"); got != "3" {
		t.Errorf("%s images in the archive", got)
	}
	wantExit(t, 0, "0 parts moved", "export", "--store="+first, "--tenant=acme", "--to="+at("out"))
	wantExit(t, 0, "imported acme", "import", "--store="+middle, "--from="+at("out"))
	wantExit(t, 2, "has this tenant already", "import", "--store="+middle, "--from="+at("out"))
	wantSound(t, middle)
	n = newSite(t, "--store="+middle, "--chores=off")
	compareOldStore(t, n, says)
	n.as("acme", "ada", "").upload(t, "new.png", picture(9, 9, 9)) // and goes on
	// A bucket is exported also while a node serves it.
	wantExit(t, 0, "exported acme", "export", "--store="+middle, "--tenant=acme", "--to="+at("out.tar"))
	n.stop(t)

	wantExit(t, 0, "imported acme", "import", "--store="+last, "--from="+at("out.tar"))
	wantSound(t, last)
	n = newSite(t, "--store="+last, "--chores=off")
	compareOldStore(t, n, says)
	var list struct{ Images []imageRow }
	if err := n.as("acme", "ada", "").must(t, http.StatusOK, "GET", "/api/images", nil).into(&list); err != nil {
		t.Fatal(err)
	}
	if len(list.Images) != 3 {
		t.Errorf("%d images are listed", len(list.Images))
	}
	n.as("", "solo", "") // another tenant's data did not come along
	for path := range treeOf(t, at("last")) {
		if strings.Contains(path, "blobs/t+/") && !strings.Contains(path, tenantOf(t, at("out"))) {
			t.Errorf("%s is another tenant's", path)
		}
	}
}

// tenantOf returns the id in an archive's manifest.
func tenantOf(t *testing.T, archive string) string {
	t.Helper()
	var m struct{ ID string }
	b, err := os.ReadFile(filepath.Join(archive, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m.ID
}

// treeOf returns all files below a folder.
func treeOf(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && e.IsDir() { // a node deletes files
			return nil
		}
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil {
			out[path] = b
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestInterruptedExportsAndImportsGoOn(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	at := func(name string) string { return filepath.Join(root, name) }
	store := "dir:" + at("store")
	n := newSite(t, "--store="+store, "--chores=off")
	says := fillOldStore(t, n)
	says = slices.DeleteFunc(says, func(e expectation) bool { return e.Tenant != "acme" })
	n.stop(t)

	// An export that was cut off has parts and no manifest.
	export := []string{"export", "--store=" + store, "--tenant=acme", "--to=" + at("out")}
	wantExit(t, 0, "", export...)
	whole := treeOf(t, at("out"))
	manifest := whole[at("out/manifest.json")]
	var m struct {
		Parts []json.RawMessage `json:"parts"`
	}
	if err := json.Unmarshal(manifest, &m); err != nil {
		t.Fatal(err)
	}
	notes := append(bytes.Join([][]byte{compact(t, m.Parts[0]), compact(t, m.Parts[1])}, []byte("\n")), "\n{\"name\":\"cut o"...)
	if err := os.Remove(at("out/manifest.json")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, at("out/progress.jsonl"), notes)
	wantExit(t, 2, "--from", "import", "--store=dir:"+at("none"), "--from="+at("nothing"))
	wantExit(t, 1, "the export did not end", "import", "--store=dir:"+at("none"), "--from="+at("out"))
	wantExit(t, 0, fmt.Sprintf("%d parts moved", len(m.Parts)-2), export...)

	// So has a tar that was cut off.
	export[len(export)-1] = "--to=" + at("out.tar")
	wantExit(t, 0, "", export...)
	info, err := os.Stat(at("out.tar"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(at("out.tar"), info.Size()/2+77); err != nil {
		t.Fatal(err)
	}
	out := wantExit(t, 0, "parts moved", export...)
	if strings.Contains(out, "; 0 parts moved") || strings.Contains(out, fmt.Sprintf("; %d parts moved", len(m.Parts))) {
		t.Errorf("not what was missing: %s", out)
	}

	// A damaged part stops an import, which goes on when the part is whole again.
	var victim string
	for path := range whole {
		if strings.Contains(path, "/images/") {
			victim = path
		}
	}
	bad := bytes.Clone(whole[victim])
	bad[len(bad)/2] ^= 1
	writeFile(t, victim, bad)
	to := "--store=dir:" + at("to")
	wantExit(t, 1, "is not what the manifest says", "import", to, "--from="+at("out"))
	wantExit(t, 0, "import_begun", "verify", to)
	writeFile(t, victim, whole[victim])
	out = wantExit(t, 0, "imported acme", "import", to, "--from="+at("out"))
	if strings.Contains(out, fmt.Sprintf("; %d parts moved", len(m.Parts))) {
		t.Errorf("it began anew: %s", out)
	}
	wantSound(t, "dir:"+at("to"))
	n = newSite(t, to, "--chores=off")
	compareOldStore(t, n, says)
	n.stop(t)
	wantExit(t, 0, "imported acme", "import", "--store=dir:"+at("tarred"), "--from="+at("out.tar"))
}

func compact(t *testing.T, b json.RawMessage) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, b); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestVerifyTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	wantExit(t, 2, "--store", "verify", "--store=dir:"+filepath.Join(t.TempDir(), "none"))
	root := t.TempDir()
	store := "dir:" + root
	n := newSite(t, "--store="+store, "--chores=off")
	ada := n.as("acme", "ada", "")
	row := ada.upload(t, "a.png", picture(20, 20, 1))
	ada.draw(t, row.ID, "cat")
	ada.text(t, "PUT", "/api/files/u/YWRh/file", "content")
	// The tenant has heard of the drawing, which is what makes a lost history be seen.
	eventually(t, "the list follows", func() error {
		got := ada.must(t, http.StatusOK, "GET", "/api/images?label=cat", nil)
		if !bytes.Contains(got.body, []byte(row.ID)) {
			return errors.New("not yet")
		}
		return nil
	})
	n.stop(t)
	before := treeOf(t, root)
	wantSound(t, store)
	after := treeOf(t, root)
	if len(before) != len(after) {
		t.Errorf("%d files before, %d after", len(before), len(after))
	}
	for path, b := range before {
		if !bytes.Equal(after[path], b) {
			t.Errorf("%s was changed", path)
		}
	}
	find := func(part string) string {
		for path := range before {
			if strings.Contains(path, part) {
				return path
			}
		}
		t.Fatalf("no %s in the store", part)
		return ""
	}
	for _, tc := range []struct {
		what, file string
		damage     func(b []byte) []byte // nil: the file is deleted
	}{
		{"blob_damaged", "original", func(b []byte) []byte { b[20] ^= 1; return b }},
		{"blob_missing", "original", nil},
		{"blob_damaged", "f+/", func(b []byte) []byte { return b[1:] }},
		{"root_key_damaged", "keys+/root", func(b []byte) []byte { return b[1:] }},
		{"template_damaged", "templates/", func(b []byte) []byte { b[50] ^= 1; return b }},
		{"template_missing", "templates/", nil},
		{"log_damaged", "journal/log/", func(b []byte) []byte { b[len(b)/3] ^= 1; return b }},
	} {
		path := find(tc.file)
		if tc.damage == nil {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		} else {
			writeFile(t, path, tc.damage(bytes.Clone(before[path])))
		}
		var answer struct {
			Problems int
			Findings []struct{ What, Object string }
			Meanings map[string]string
		}
		b, err := command(t.Context(), "verify", "--json", "--store="+store).Output()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
			t.Errorf("%s: %v", tc.what, err)
		}
		if err := json.Unmarshal(b, &answer); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		if answer.Problems == 0 || answer.Meanings[tc.what] == "" {
			t.Errorf("%s: found %+v", tc.what, answer)
		}
		writeFile(t, path, before[path])
	}
	wantSound(t, store)
}

// TestEraseTakesEveryByte searches the store and the node's disk.
func TestEraseTakesEveryByte(t *testing.T) {
	t.Parallel()
	t.Run("folder", func(t *testing.T) {
		eraseTakesEveryByte(t, newSite(t, "--chores=off"), nil)
	})
	t.Run("bucket", func(t *testing.T) { erasedFromABucket(t, "fake") })
}

func erasedFromABucket(t *testing.T, server string) {
	t.Helper()
	store, objects := bucket(t, server)
	eraseTakesEveryByte(t, newSite(t, "--store="+store, "--chores=off"), func() map[string][]byte {
		found, err := objects.List(t.Context(), "", "", 100000)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string][]byte{}
		for _, o := range found {
			body, _, err := objects.Get(t.Context(), o.Key, blob.All)
			if errors.Is(err, blob.ErrNotFound) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if out[o.Key], err = io.ReadAll(body); err != nil {
				t.Fatal(err)
			}
			body.Close()
		}
		return out
	})
}

func eraseTakesEveryByte(t *testing.T, s site, remote func() map[string][]byte) {
	t.Helper()
	// What compresses badly is found again behind any compression.
	word := func() string { return rand.Text() }
	user, label, chat, value, name, content, meta := word(), word(), word(), word(), word(), word(), word()
	owner, ada := s.as("doomed", user, "owner"), s.as("doomed", word(), "admin")
	bystander := s.as("other", "bob", "")
	stays := bystander.upload(t, "stays.png", picture(20, 20, 2))
	bystander.draw(t, stays.ID, "stays")

	var noise bytes.Buffer
	noise.Write(picture(8, 8, 1))
	secret := []byte(word())
	noise.Write(secret) // behind the image's end
	row := owner.upload(t, name+".png", noise.Bytes())
	owner.draw(t, row.ID, label)
	owner.must(t, http.StatusCreated, "POST", "/api/images/"+row.ID+"/messages", map[string]any{"text": chat})
	owner.must(t, http.StatusOK, "PATCH", "/api/images/"+row.ID, map[string]any{"metadata": map[string]any{"m": meta}})
	owner.text(t, "PUT", "/api/kv/k?ttl=1000000", value)
	owner.text(t, "PUT", "/api/files/f", content)
	owner.must(t, http.StatusOK, "GET", "/api/images/"+row.ID+"/thumbnail", nil)
	var key struct{ Key string }
	if err := owner.must(t, http.StatusCreated, "POST", "/api/keys", raw(`{"name":"robot","role":"admin"}`)).into(&key); err != nil {
		t.Fatal(err)
	}
	var ticket struct{ Ticket string }
	if err := owner.must(t, http.StatusCreated, "POST", "/api/tickets", map[string]any{"image_id": row.ID}).into(&ticket); err != nil {
		t.Fatal(err)
	}
	var signed struct{ URL string }
	if err := owner.must(t, http.StatusOK, "GET", "/api/images/"+row.ID+"/url", nil).into(&signed); err != nil {
		t.Fatal(err)
	}
	deleted := owner.upload(t, "gone.png", picture(9, 9, 3))
	owner.must(t, http.StatusNoContent, "DELETE", "/api/images/"+deleted.ID, nil)
	socket, err := ada.dial(t.Context(), row.ID, "tab", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	socket.until(t, "snap", func(f frame) bool { return f.Last })

	words := []string{user, label, chat, value, name, content, meta, string(secret)}
	everything := func() map[string][]byte {
		all := treeOf(t, s.data)
		if remote != nil {
			for k, b := range remote() {
				all["bucket/"+k] = b
			}
		}
		return all
	}
	found := func() (where []string) {
		for path, b := range everything() {
			for _, w := range words {
				if bytes.Contains(b, []byte(w)) {
					where = append(where, path+": "+w)
				}
			}
		}
		return where
	}
	if n := len(found()); n < len(words) {
		t.Fatalf("only %d finds before the erasure: the search is no good", n)
	}

	s.as("doomed", "admin", "admin").refused(t, "forbidden", "DELETE", "/api/tenant", raw(`{"confirm":"doomed"}`))
	owner.refused(t, "invalid", "DELETE", "/api/tenant", raw(`{"confirm":"Doomed"}`))
	owner.refused(t, "invalid", "DELETE", "/api/tenant", raw(`{}`))
	owner.must(t, http.StatusOK, "GET", "/api/images/"+row.ID, nil)
	owner.must(t, http.StatusAccepted, "DELETE", "/api/tenant", raw(`{"confirm":"doomed"}`))

	gone := func(s site) {
		t.Helper()
		for _, path := range []string{"/api/me", "/api/images", "/api/images/" + row.ID, "/api/annotations/by-image/" + row.ID, "/api/kv/k", "/api/usage"} {
			s.as("doomed", user, "owner").refused(t, "gone", "GET", path, nil)
			s.as("doomed", "stranger", "viewer").refused(t, "gone", "GET", path, nil)
		}
		s.as("doomed", user, "owner").must(t, http.StatusAccepted, "DELETE", "/api/tenant", raw(`{"confirm":"doomed"}`))
		newAPI(s.base, key.Key).refused(t, "unauthorized", "GET", "/api/images", nil)
		s.anonymous().refused(t, "gone", "GET", "/api/images/"+row.ID+"/file?ticket="+ticket.Ticket, nil)
		if remote == nil {
			_, path, _ := strings.Cut(strings.TrimPrefix(signed.URL, "http://"), "/")
			s.anonymous().refused(t, "gone", "GET", "/"+path, nil)
		}
		var image struct{ Image imageRow }
		if err := s.as("other", "bob", "").must(t, http.StatusOK, "GET", "/api/images/"+stays.ID, nil).into(&image); err != nil {
			t.Fatal(err)
		}
		s.as("other", "bob", "").must(t, http.StatusOK, "GET", "/api/images/"+stays.ID+"/file", nil)
	}
	gone(s)
	for err = nil; err == nil; _, err = socket.next() {
	}
	if code := closeCode(err); code != 4404 {
		t.Errorf("the socket was closed with %d: %v", code, err)
	}
	eventually(t, "nothing is left", func() error {
		if where := found(); len(where) > 0 {
			return fmt.Errorf("%d finds: %v", len(where), where[:min(3, len(where))])
		}
		return nil
	})
	if code := s.stop(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	args := slices.DeleteFunc(slices.Clone(s.cmd.Args[1:]), func(a string) bool {
		return a == "serve" || strings.HasPrefix(a, "--addr") || strings.HasPrefix(a, "--data")
	})
	again := site{start(t, s.data, args...)}
	gone(again)
	again.stop(t)
	if where := found(); len(where) > 0 {
		t.Errorf("after a restart: %v", where)
	}
	store := "dir:" + filepath.Join(s.data, "store")
	for _, a := range args {
		if v, ok := strings.CutPrefix(a, "--store="); ok {
			store = v
		}
	}
	wantSound(t, store)
}
