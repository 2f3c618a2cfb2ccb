package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/blob/blobtest"
)

// oldStores is where stores that released binaries have written are kept. Each has
// a folder home in dir, the objects of a bucket in s3, and what its binary said of
// them in expect.json.
const oldStores = "../testdata/stores"

// expectation is one answer of the binary that made a store.
type expectation struct {
	User   string `json:"user"`
	Role   string `json:"role"`
	Tenant string `json:"tenant,omitempty"`
	Path   string `json:"path"`
	Status int    `json:"status"`
	// Body is the answer's JSON; a later binary may say more. SHA256 stands for
	// other bytes.
	Body   json.RawMessage `json:"body,omitempty"`
	SHA256 string          `json:"sha256,omitempty"`
}

// TestMakeOldStore is run by scripts/old-store.
func TestMakeOldStore(t *testing.T) {
	binary, out := os.Getenv("EASEL_OLD_BINARY"), os.Getenv("EASEL_OLD_STORE")
	if binary == "" || out == "" {
		t.Skip("only scripts/old-store makes stores")
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "store")
	data := t.TempDir()
	run := func(store string) site {
		cmd := exec.Command(binary, "serve", "--addr=127.0.0.1:0", "--data="+data, "--store="+store, "--chores=off", "--jwt-secret="+signingSecret)
		cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+blobtest.AccessKey, "AWS_SECRET_ACCESS_KEY="+blobtest.SecretKey)
		return site{await(t, follow(t, cmd, data))}
	}
	n := run("dir:" + folder)
	folderSays := fillOldStore(t, n)
	n.stop(t)
	// Enough starts that the log is compacted into files of the actors, and then some
	// more that only the log holds.
	for range 70 {
		run("dir:" + folder).stop(t)
	}
	n = run("dir:" + folder)
	folderSays = append(folderSays, fillOldStore(t, n)...)
	n.kill()
	copyTree(t, folder, filepath.Join(out, "dir"))
	if err := os.Remove(filepath.Join(out, "dir", "lock")); err != nil {
		t.Fatal(err)
	}

	fake := blobtest.Fake(t, nil)
	n = run(homeOn(fake.Endpoint))
	bucketSays := fillOldStore(t, n)
	n.stop(t)
	n = run(homeOn(fake.Endpoint))
	bucketSays = append(bucketSays, fillOldStore(t, n)...)
	n.kill()
	s := openFake(t, fake)
	objects, err := s.List(t.Context(), "", "", 10000)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		body, _, err := s.Get(t.Context(), o.Key, blob.All)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(body)
		body.Close()
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(out, "s3", filepath.FromSlash(o.Key)), b)
	}
	b, err := json.MarshalIndent(map[string][]expectation{"dir": folderSays, "s3": bucketSays}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(out, "expect.json"), append(b, '\n'))
}

// openFake opens the prefix that homeOn names.
func openFake(t *testing.T, o blob.S3Options) *blob.S3 {
	t.Helper()
	o.Prefix, o.AccessKey, o.SecretKey = "some/where", blobtest.AccessKey, blobtest.SecretKey
	s, err := blob.OpenS3(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// fillOldStore drives a node through its API and returns what it said in the end.
func fillOldStore(t *testing.T, n site) []expectation {
	t.Helper()
	ada, adam := n.as("acme", "ada", ""), n.as("acme", "adam", "admin")
	own := n.as("", "solo", "")
	mine := "u/YWRh/" // the prefix of ada
	var images []string
	for i := range 3 {
		row := ada.upload(t, fmt.Sprintf("Bild %d.png", i), picture(24, 16, byte(i)))
		images = append(images, row.ID)
		eventually(t, "the dimensions are read", func() error {
			var got struct{ Image imageRow }
			if err := ada.must(t, http.StatusOK, "GET", "/api/images/"+row.ID, nil).into(&got); err != nil {
				return err
			}
			if got.Image.Width != 24 {
				return fmt.Errorf("width %d", got.Image.Width)
			}
			return nil
		})
	}
	first := images[0]
	for i := range 5 {
		ada.draw(t, first, fmt.Sprintf("Katze-%d", i))
	}
	b := ada.draw(t, first, "patched")
	adam.must(t, http.StatusOK, "PATCH", "/api/images/"+first+"/annotations/"+b.ID, raw(`{"label":"Hund","confidence":0.5}`))
	gone := ada.draw(t, first, "deleted")
	ada.must(t, http.StatusNoContent, "DELETE", "/api/images/"+first+"/annotations/"+gone.ID, nil)
	for seq := 1; seq <= 3; seq++ {
		ada.must(t, http.StatusOK, "POST", "/api/images/"+first+"/ops", raw(fmt.Sprintf(
			`{"client":"tab","seq":%d,"ops":[{"k":"put","annotation":{"label":"op-%d","x":0.1,"y":0.2,"width":0.3,"height":0.4}}]}`, seq, seq)))
		if seq == 3 {
			break
		}
	}
	adam.must(t, http.StatusCreated, "POST", "/api/annotations/bulk", raw(`{"annotations":[`+
		drawing(images[0], "bulk", "")+","+drawing(images[1], "bulk", "")+`]}`))
	ada.must(t, http.StatusCreated, "POST", "/api/images/"+first+"/messages", raw(`{"text":"Grüße"}`))
	adam.must(t, http.StatusCreated, "POST", "/api/images/"+first+"/messages", raw(`{"text":"zurück"}`))
	ada.must(t, http.StatusOK, "PATCH", "/api/images/"+images[1], raw(`{"filename":"umbenannt.png","metadata":{"site":7}}`))
	ada.must(t, http.StatusNoContent, "DELETE", "/api/images/"+images[2], nil)
	ada.must(t, http.StatusOK, "GET", "/api/images/"+first+"/thumbnail?size=64", nil)
	adam.text(t, "PUT", "/api/kv/settings/farbe", "grün", "Content-Type", "application/octet-stream")
	ada.text(t, "PUT", "/api/kv/"+mine+"notiz", "\x00\x01", "Content-Type", "application/octet-stream")
	adam.text(t, "PUT", "/api/files/docs/lies mich.txt", "Inhalt", "Content-Type", "text/plain", "X-Easel-Meta-Quelle", "haus")
	adam.must(t, http.StatusCreated, "POST", "/api/keys", raw(`{"name":"robot","role":"annotator"}`))
	private := own.upload(t, "privat.png", picture(20, 10, 9))
	own.draw(t, private.ID, "geheim")

	var says []expectation
	note := func(tenant, user, role, path string) {
		t.Helper()
		got, err := n.as(tenant, user, role).do(t.Context(), "GET", path, nil)
		if err != nil {
			t.Fatal(err)
		}
		e := expectation{User: user, Role: role, Tenant: tenant, Path: path, Status: got.status}
		if strings.HasPrefix(got.header.Get("Content-Type"), "application/json") && !strings.HasPrefix(path, "/api/kv/") {
			e.Body = got.body
		} else {
			sum := sha256.Sum256(got.body)
			e.SHA256 = hex.EncodeToString(sum[:])
		}
		says = append(says, e)
	}
	for _, id := range images[:2] {
		for _, path := range []string{"/api/images/" + id, "/api/annotations/by-image/" + id, "/api/images/" + id + "/ops?since=0", "/api/images/" + id + "/messages", "/api/images/" + id + "/file"} {
			note("acme", "vera", "viewer", path)
		}
	}
	for _, path := range []string{
		"/api/images/" + images[2], "/api/images/" + first + "/annotations/" + gone.ID, "/api/images/" + first + "/annotations/" + b.ID,
		"/api/kv/settings/farbe", "/api/kv/" + mine + "notiz", "/api/files/docs/lies%20mich.txt",
	} {
		note("acme", "vera", "viewer", path)
	}
	note("", "solo", "", "/api/annotations/by-image/"+private.ID)
	note("", "solo", "", "/api/images/"+private.ID+"/file")
	return says
}

// TestOldStoresOpen serves every store that a released binary wrote, and compares.
func TestOldStoresOpen(t *testing.T) {
	t.Parallel()
	for _, version := range oldVersions(t) {
		var says map[string][]expectation
		b, err := os.ReadFile(filepath.Join(oldStores, version, "expect.json"))
		if err == nil {
			err = json.Unmarshal(b, &says)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Run(version+"/dir", func(t *testing.T) {
			store := filepath.Join(t.TempDir(), "store")
			copyTree(t, filepath.Join(oldStores, version, "dir"), store)
			wantSound(t, "dir:"+store)
			// The second start finds what the first has migrated.
			for range 2 {
				n := newSite(t, "--store=dir:"+store, "--chores=off")
				compareOldStore(t, n, says["dir"])
				if code := n.stop(t); code != 0 {
					t.Errorf("exit code %d", code)
				}
			}
			wantSound(t, "dir:"+store)
		})
		t.Run(version+"/s3", func(t *testing.T) {
			store := loadOldBucket(t, version)
			wantSound(t, store)
			for range 2 {
				n := newSite(t, "--store="+store, "--chores=off")
				compareOldStore(t, n, says["s3"])
				if code := n.stop(t); code != 0 {
					t.Errorf("exit code %d", code)
				}
			}
			wantSound(t, store)
		})
	}
}

// TestOldStoreSurvivesKillsWhileItIsMigrated kills the program (SIGKILL) again and
// again while it opens the files of an old store for the first time, each time a
// little later.
func TestOldStoreSurvivesKillsWhileItIsMigrated(t *testing.T) {
	t.Parallel()
	for _, version := range oldVersions(t) {
		t.Run(version, func(t *testing.T) {
			var says map[string][]expectation
			b, err := os.ReadFile(filepath.Join(oldStores, version, "expect.json"))
			if err == nil {
				err = json.Unmarshal(b, &says)
			}
			if err != nil {
				t.Fatal(err)
			}
			store := filepath.Join(t.TempDir(), "store")
			copyTree(t, filepath.Join(oldStores, version, "dir"), store)
			for round := range 6 {
				n := newSite(t, "--store=dir:"+store, "--chores=off")
				answered := make(chan struct{}, len(says["dir"]))
				var asking sync.WaitGroup
				for _, e := range says["dir"] {
					asking.Go(func() {
						// It is killed meanwhile: what is answered is compared at the end.
						_, _ = n.as(e.Tenant, e.User, e.Role).do(t.Context(), "GET", e.Path, nil)
						answered <- struct{}{}
					})
				}
				for range round {
					<-answered
				}
				n.kill()
				asking.Wait()
				wantSound(t, "dir:"+store)
			}
			n := newSite(t, "--store=dir:"+store, "--chores=off")
			compareOldStore(t, n, says["dir"])
			n.stop(t)
			wantSound(t, "dir:"+store)
		})
	}
}

func oldVersions(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(oldStores)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	if len(out) == 0 {
		t.Fatal("no store of a released version is kept")
	}
	return out
}

// loadOldBucket puts a bucket that was kept into a server in this process and
// returns what --store takes.
func loadOldBucket(t *testing.T, version string) string {
	t.Helper()
	fake := blobtest.Fake(t, nil)
	s := openFake(t, fake)
	root := filepath.Join(oldStores, version, "s3")
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		key, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		_, err = s.Put(t.Context(), filepath.ToSlash(key), bytes.NewReader(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return homeOn(fake.Endpoint)
}

func compareOldStore(t *testing.T, n site, says []expectation) {
	t.Helper()
	for _, e := range says {
		got, err := n.as(e.Tenant, e.User, e.Role).do(t.Context(), "GET", e.Path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.status != e.Status {
			t.Errorf("%s: %s, was %d", e.Path, got, e.Status)
			continue
		}
		if e.SHA256 != "" {
			if sum := sha256.Sum256(got.body); hex.EncodeToString(sum[:]) != e.SHA256 {
				t.Errorf("%s: other bytes", e.Path)
			}
			continue
		}
		var was, is any
		if json.Unmarshal(e.Body, &was) != nil || json.Unmarshal(got.body, &is) != nil {
			t.Fatalf("%s: no JSON: %s", e.Path, got)
		}
		if lacks := lacking(was, is, ""); lacks != "" {
			t.Errorf("%s: %s\nwas %s\nis  %s", e.Path, lacks, e.Body, got.body)
		}
	}
}

// lacking says what of was is not in is. Objects may have more members.
func lacking(was, is any, at string) string {
	switch was := was.(type) {
	case map[string]any:
		other, ok := is.(map[string]any)
		if !ok {
			return at + " is no object"
		}
		for k, v := range was {
			if k == "request_id" || k == "message" && at == "" {
				continue // of an error
			}
			if _, there := other[k]; !there {
				return at + "." + k + " is missing"
			}
			if l := lacking(v, other[k], at+"."+k); l != "" {
				return l
			}
		}
		return ""
	case []any:
		other, ok := is.([]any)
		if !ok || len(other) != len(was) {
			return at + " is another list"
		}
		for i := range was {
			if l := lacking(was[i], other[i], fmt.Sprintf("%s[%d]", at, i)); l != "" {
				return l
			}
		}
		return ""
	default:
		if was != is {
			return fmt.Sprintf("%s was %v and is %v", at, was, is)
		}
		return ""
	}
}

// wantSound runs easel verify, which must find nothing wrong.
func wantSound(t *testing.T, store string) {
	t.Helper()
	out, err := command(t.Context(), "verify", "--store="+store).CombinedOutput()
	if err != nil {
		t.Errorf("easel verify: %v\n%s", err, out)
	}
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	// Nothing in a home is for others, whatever a checkout made of the modes.
	err := filepath.WalkDir(to, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o600)
		if e.IsDir() {
			mode = 0o700
		}
		return os.Chmod(path, mode)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func writeFile(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
