package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDoctorFindsNothingOnAFreshMachine(t *testing.T) {
	code, out, errs := easelCommand(t, nil, "doctor", "--data", t.TempDir(), "--addr", "127.0.0.1:0")
	if code != exitOK || strings.Contains(out, "BAD") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}

func TestDoctorSaysWhatIsWrong(t *testing.T) {
	for _, tc := range []struct {
		name  string
		wrong func(t *testing.T, dir string) (args []string)
		want  string
	}{
		{"port in use", func(t *testing.T, _ string) []string {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			return []string{"--addr", l.Addr().String()}
		}, "BAD   port     --addr"},
		{"store is a file", func(t *testing.T, dir string) []string {
			path := filepath.Join(dir, "file")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return []string{"--store", "dir:" + path}
		}, "BAD   store    --store"},
		{"secret that others can read", func(t *testing.T, dir string) []string {
			if err := os.WriteFile(filepath.Join(dir, secretFile), []byte(strings.Repeat("x", 40)), 0o644); err != nil {
				t.Fatal(err)
			}
			return nil
		}, "BAD   secret"},
		{"clock that is behind", func(t *testing.T, dir string) []string {
			path := filepath.Join(dir, "store", "later")
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			later := time.Now().Add(time.Hour)
			if err := os.Chtimes(path, later, later); err != nil {
				t.Fatal(err)
			}
			return nil
		}, "BAD   clock"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			args := append([]string{"doctor", "--data", dir, "--addr", "127.0.0.1:0"}, tc.wrong(t, dir)...)
			code, out, errs := easelCommand(t, nil, args...)
			if code != exitFailed || !strings.Contains(out, tc.want) || strings.Count(errs, "\n") != 1 {
				t.Errorf("exit %d, want %q in\n%s%s", code, tc.want, out, errs)
			}
		})
	}
}
