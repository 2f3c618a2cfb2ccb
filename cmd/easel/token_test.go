package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/auth"
)

// easelCommand runs one command as main does.
func easelCommand(t *testing.T, e env, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), shell{args: args, lookup: e.lookup, stdout: &out, stderr: &errs})
	return code, out.String(), errs.String()
}

func TestTokenIsSignedWithTheNodesSecret(t *testing.T) {
	dir := t.TempDir()
	code, out, errs := easelCommand(t, nil, "token", "--data", dir, "--tenant", "acme", "--user", "ada", "--role", "reviewer", "--name", "Ada L", "--ttl", "5m")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	info, err := os.Stat(filepath.Join(dir, secretFile))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the secret has mode %v", info.Mode().Perm())
	}
	var c Config
	c.Store.Data = dir
	list, made, err := loadSecrets(c)
	if err != nil || made {
		t.Fatalf("made %v, %v", made, err)
	}
	tokens, err := auth.NewTokens(t.Context(), auth.TokenConfig{Secrets: secretBytes(list)})
	if err != nil {
		t.Fatal(err)
	}
	p, err := tokens.Verify(t.Context(), strings.TrimSuffix(out, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if p.User != "ada" || p.TenantName != "acme" || p.Role != easel.Reviewer || p.Name != "Ada L" {
		t.Errorf("got %+v", p)
	}
	if left := time.Until(p.Expires); left < 4*time.Minute || left > 5*time.Minute {
		t.Errorf("expires in %v", left)
	}
}

func TestTokenWithoutTenantIsPersonal(t *testing.T) {
	secret := strings.Repeat("k", 40)
	_, out, _ := easelCommand(t, env{"EASEL_JWT_SECRET": secret + "," + strings.Repeat("o", 32)}, "token", "--user", "ada")
	tokens, err := auth.NewTokens(t.Context(), auth.TokenConfig{Secrets: secretBytes([]string{secret})})
	if err != nil {
		t.Fatal(err)
	}
	p, err := tokens.Verify(t.Context(), strings.TrimSpace(out))
	if err != nil {
		t.Fatal(err)
	}
	if p.TenantName != "user:ada" || p.Role != easel.Owner {
		t.Errorf("got %+v", p)
	}
}

func TestBadTokenRequestsNameTheFlag(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"no user", nil, "--user"},
		{"reserved tenant", []string{"--user", "a", "--tenant", "user:b"}, "--tenant"},
		{"unknown role", []string{"--user", "a", "--role", "boss"}, "--role"},
		{"no time", []string{"--user", "a", "--ttl", "0s"}, "--ttl"},
		{"bad time", []string{"--user", "a", "--ttl", "soon"}, "-ttl"},
		{"a flag of serve", []string{"--user", "a", "--addr", "127.0.0.1:1"}, "--addr"},
		{"a user that no token may have", []string{"--user", strings.Repeat("u", 5000)}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, out, errs := easelCommand(t, nil, append([]string{"token", "--data=" + t.TempDir()}, tc.args...)...)
			if code != exitBadUsage || out != "" || !strings.Contains(errs, tc.want) || strings.Count(errs, "easel: ") == 0 {
				t.Errorf("exit %d, stdout %q, stderr %q", code, out, errs)
			}
		})
	}
}

func TestVersionPrintsOneLine(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"--version"}, {"-version"}} {
		code, out, _ := easelCommand(t, nil, args...)
		if code != exitOK || !strings.HasPrefix(out, "easel ") || strings.Count(out, "\n") != 1 {
			t.Errorf("%q: exit %d, %q", args, code, out)
		}
	}
}

func TestEveryCommandHasHelp(t *testing.T) {
	for _, c := range commands() {
		for _, help := range []string{"--help", "-h"} {
			code, out, errs := easelCommand(t, nil, c.name, help)
			if code != exitOK || !strings.Contains(out, "usage: easel "+c.name) || errs != "" {
				t.Errorf("%s %s: exit %d, %q, %q", c.name, help, code, out, errs)
			}
		}
	}
}

func TestUnknownCommandIsBadUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"server"}, {"version", "x"}} {
		if code, _, errs := easelCommand(t, nil, args...); code != exitBadUsage || strings.Count(errs, "\n") != 1 {
			t.Errorf("%q: exit %d, %q", args, code, errs)
		}
	}
	if code, out, _ := easelCommand(t, nil, "--help"); code != exitOK || !strings.Contains(out, "doctor") {
		t.Errorf("exit %d, %q", code, out)
	}
}
