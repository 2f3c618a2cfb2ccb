package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const twoNodes = `{"node":"a","members":[
	{"name":"a","region":"eu","zone":"","state":"ready","version":"devel","since":"2026-01-02T03:04:05.000Z","load":{"owned":12,"open":3,"sockets":40}},
	{"name":"b","region":"us","zone":"2b","state":"draining","version":"devel","since":"2026-01-02T03:04:05.000Z","load":null}],
	"owner":"b"}`

// members runs the command against a node that answers so.
func members(t *testing.T, status int, answer string, args ...string) (code int, stdout, stderr string, asked *http.Request) {
	t.Helper()
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	defer node.Close()
	var out, errs bytes.Buffer
	args = append([]string{"members", "--url", node.URL, "--data", t.TempDir()}, args...)
	code = run(t.Context(), shell{args: args, lookup: env{}.lookup, stdout: &out, stderr: &errs})
	return code, out.String(), errs.String(), asked
}

func TestMembersPrintsATable(t *testing.T) {
	code, stdout, stderr, asked := members(t, http.StatusOK, twoNodes, "--token", "tok", "--image", "0123", "--tenant", "acme")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if got := asked.Header.Get("Authorization"); got != "Bearer tok" {
		t.Errorf("it came with %q", got)
	}
	if got := asked.URL.Query().Get("image"); got != "0123" {
		t.Errorf("it asked for image %q", got)
	}
	lines := strings.Split(stdout, "\n")
	for i, words := range [][]string{
		{"NODE", "REGION", "STATE"},
		{"a *", "eu", "-", "ready", "12", "3", "40"},
		{"b", "us", "2b", "draining", "?"},
		{},
		{"0123 is owned by b"},
	} {
		for _, w := range words {
			if !strings.Contains(lines[i], w) {
				t.Errorf("line %d lacks %q: %s", i, w, lines[i])
			}
		}
	}
}

func TestMembersSaysWhyItCannot(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		answer string
		args   []string
		code   int
		want   string
	}{
		"no secret":    {200, twoNodes, nil, exitBadUsage, "--token"},
		"not an admin": {403, `{"error":"forbidden","message":"needs the role admin"}`, []string{"--token", "x"}, exitFailed, "forbidden: needs the role admin"},
		"no Easel":     {404, "<html>", []string{"--token", "x"}, exitFailed, "404"},
		"no JSON":      {200, "<html>", []string{"--token", "x"}, exitFailed, "no list of nodes"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr, _ := members(t, tt.status, tt.answer, tt.args...)
			if code != tt.code || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit %d: %s", code, stderr)
			}
		})
	}
}

func TestMembersSignsWithTheNodesSecret(t *testing.T) {
	_, _, stderr, asked := members(t, http.StatusOK, twoNodes, "--jwt-secret", strings.Repeat("s", 32))
	if asked == nil || !strings.HasPrefix(asked.Header.Get("Authorization"), "Bearer ey") {
		t.Errorf("no token was sent: %s", stderr)
	}
}
