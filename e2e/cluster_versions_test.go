package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	nodes "github.com/easelhq/easel/wire"
)

// previousBuild builds the program as it was before the newest change of the wire's
// version, from the repository's history: the last one that speaks the previous
// version. It skips the test where there is no such history. same tells whether the
// two know the same schemas.
func previousBuild(t *testing.T) (binary string, same bool) {
	t.Helper()
	for _, tool := range []string{"git", "go", "tar"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the previous version cannot be built: %v", err)
		}
	}
	git := func(args ...string) ([]byte, error) {
		return exec.CommandContext(t.Context(), "git", append([]string{"-C", ".."}, args...)...).Output()
	}
	change, err := git("log", "-n1", "--format=%H", "-G^\tVersion +=", "--", "wire/wire.go")
	if err != nil || len(change) == 0 {
		t.Skipf("there is no history here to build the previous version of: %v", err)
	}
	before := strings.TrimSpace(string(change)) + "^"
	source, err := git("show", before+":wire/wire.go")
	if err != nil {
		t.Skipf("the history here begins with version %d of the wire: %v", nodes.Version, err)
	}
	if m := regexp.MustCompile(`(?m)^\tVersion +=\s*(\d+)`).FindSubmatch(source); m == nil || string(m[1]) != strconv.Itoa(nodes.Version-1) {
		t.Fatalf("%s speaks %q, not version %d", before, m, nodes.Version-1)
	}
	archive, err := git("archive", before)
	if err != nil {
		t.Skipf("the previous version cannot be read: %v", err)
	}
	dir := t.TempDir()
	unpack := exec.CommandContext(t.Context(), "tar", "-x", "-C", dir)
	unpack.Stdin = bytes.NewReader(archive)
	if out, err := unpack.CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	binary = filepath.Join(dir, "easel-before")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-o", binary, "./cmd/easel")
	build.Dir, build.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v: %s", before, err, out)
	}
	_, err = git("diff", "--quiet", before, "--", "migrations")
	return binary, err == nil
}

// TestClusterOfTwoVersions pairs this build with the last one that speaks the
// previous version of the wire: as in the middle of a rolling upgrade they serve
// each other's images, and each takes over from the other, in peace and by a crash,
// under live sockets.
func TestClusterOfTwoVersions(t *testing.T) {
	t.Parallel()
	whole := t // nodes outlive the parts that start them
	before, same := previousBuild(t)
	c := newCity(t, 2)
	const newer, older = "n1", "n2"
	c.start = func(i int, args []string) *exec.Cmd {
		cmd := command(context.Background(), append(args, "--addr=127.0.0.1:0")...)
		if c.name(i) == older {
			cmd.Path, cmd.Args[0] = before, before
		}
		return cmd
	}
	// The older is there first: what it has opened the newer can always open.
	await(t, c.launch(t, c.index(older)))
	await(t, c.launch(t, c.index(newer)))
	c.agree(t)
	mine := map[string]string{} // an image of each owner
	for i := 0; len(mine) < 2; i++ {
		row := c.api(c.name(i%2)).upload(t, fmt.Sprintf("%d.png", i), picture(40, 30, byte(i)))
		mine[c.owner(t, row.ID)] = row.ID
	}
	both := []string{newer, older}
	round := 0
	// work draws on both images over sockets of some nodes and over REST, while do
	// happens, and compares what is there with what was acknowledged.
	work := func(t *testing.T, on []string, do func()) {
		t.Helper()
		round++
		all := map[string][]*drawer{}
		for _, image := range mine {
			for _, name := range on {
				all[image] = append(all[image], drawOn(t, c.api(name), image, fmt.Sprintf("%s-%d", name, round)))
			}
		}
		for i := range 30 {
			for image, hands := range all {
				for j, d := range hands {
					d.put(t)
					eventually(t, "there is room for another frame", d.room)
					if i%10 == 5 {
						label := fmt.Sprintf("rest-%d-%d-%d", round, i, j)
						c.api(on[j]).must(t, http.StatusCreated, "POST", "/api/annotations", drawingOf(image, label))
					}
				}
			}
			if i == 10 {
				do()
			}
		}
		for image, hands := range all {
			c.settle(t, image, hands...)
			for _, d := range hands {
				_ = d.s.Close()
				<-d.closed
			}
		}
	}

	t.Run("each serves what the other owns", func(t *testing.T) {
		work(t, both, func() {})
	})
	t.Run("what is larger than one message crosses", func(t *testing.T) {
		for owner, image := range mine {
			asked := map[string]string{newer: older, older: newer}[owner]
			list := make([]map[string]any, 500)
			for i := range list {
				list[i] = drawingOf(image, strings.Repeat("large ", 15)+strconv.Itoa(i))
			}
			for range 2 {
				c.api(asked).must(t, http.StatusCreated, "POST", "/api/annotations/bulk", map[string]any{"annotations": list})
			}
			path := "/api/annotations/by-image/" + image
			want, got := c.api(owner).must(t, http.StatusOK, "GET", path, nil), c.api(asked).must(t, http.StatusOK, "GET", path, nil)
			if string(got.body) != string(want.body) || len(got.body) < nodes.WholeBytes {
				t.Errorf("%s reads %d bytes of what %s owns, of %d", asked, len(got.body), owner, len(want.body))
			}
		}
	})
	for _, tt := range []struct {
		name       string
		goes, left string
		how        syscall.Signal
	}{
		{"the newer takes over in peace", older, newer, syscall.SIGTERM},
		{"the newer takes over from a crash", older, newer, syscall.SIGKILL},
		{"the older takes over in peace", newer, older, syscall.SIGTERM},
		{"the older takes over from a crash", newer, older, syscall.SIGKILL},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !same {
				t.Skip("the older program does not know the schemas of this one, and refuses what this one has opened")
			}
			work(t, []string{tt.left}, func() {
				if err := c.nodes[tt.goes].cmd.Process.Signal(tt.how); err != nil {
					t.Fatal(err)
				}
				<-c.nodes[tt.goes].exited
				delete(c.nodes, tt.goes)
			})
			c.revive(whole, tt.goes)
			c.agree(t)
		})
	}
	t.Run("and the upgrade ends", func(t *testing.T) {
		work(t, []string{newer}, func() {
			if err := c.nodes[older].cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			<-c.nodes[older].exited
			delete(c.nodes, older)
			c.start = nil
			c.revive(whole, older)
		})
		c.agree(t)
		work(t, both, func() {})
	})
}
