package journal_test

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/journal/journaltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, opts journal.NodeOptions) *journal.Node {
	t.Helper()
	n, err := journal.OpenNode(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return n
}

func TestNodeKeepsTheContract(t *testing.T) {
	tests := []struct {
		name string
		opts func(t *testing.T) journal.NodeOptions
	}{
		{"folder", func(t *testing.T) journal.NodeOptions {
			return journal.NodeOptions{Dir: filepath.Join(t.TempDir(), "store")}
		}},
		{"in memory", func(*testing.T) journal.NodeOptions {
			return journal.NodeOptions{Dir: "/store", FS: journaltest.NewFS()}
		}},
		{"always compacting", func(*testing.T) journal.NodeOptions {
			return journal.NodeOptions{Dir: "/store", FS: journaltest.NewFS(), CompactBytes: 1}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			journaltest.Run(t, func(t *testing.T) journal.Journal { return open(t, tt.opts(t)) })
		})
	}
}
