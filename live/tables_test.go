package live_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel/live"
)

var update = flag.Bool("update", false, "write the tables in docs/")

func TestFramesTableIsFresh(t *testing.T) {
	path := filepath.Join("..", "docs", "frames.md")
	want := live.FramesTable()
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("docs/frames.md is stale, run make docs: %s", d)
	}
}

// TestFramesTableNamesEveryFrameAndClose reads the sources, so that a new frame
// or close code cannot be forgotten.
func TestFramesTableNamesEveryFrameAndClose(t *testing.T) {
	table := string(live.FramesTable())
	client, server, _ := strings.Cut(table, "## From the server")
	find := func(file, pattern string, in string, least int) {
		t.Helper()
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern).FindAllStringSubmatch(string(b), -1)
		if len(found) < least {
			t.Fatalf("%s: %d frames or codes found, at least %d are known: has the way they are written changed?", file, len(found), least)
		}
		for _, m := range found {
			if !strings.Contains(in, "| `"+m[1]+"` |") && !strings.Contains(in, "| "+m[1]+" |") {
				t.Errorf("%s: %s is not in docs/frames.md", file, m[1])
			}
		}
	}
	find("parse.go", `Type\w+ += "(\w+)"`, client, 6)
	find("frame.go", `T: "(\w+)"`, server, 3)
	find("frame.go", `\}\{"(\w+)",`, server, 6)
	find("frame.go", `\{"t":"(\w+)"`, server, 1)
	find("snapshot.go", `\{"t":"(\w+)"`, server, 1)
	find("close.go", `Close\{(1009|4\d+),`, table, 13)
}
