package e2e_test

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
)

// peakMemory is the most resident memory that a node has had, in bytes. Where
// there is no /proc it is 0.
func peakMemory(t testing.TB, n *node) int64 {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", n.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			var kb int64
			if _, err := fmt.Sscan(rest, &kb); err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Fatal("the kernel does not say how much memory the node has had")
	return 0
}
