package main

import (
	"bytes"
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// env is a process environment for tests.
type env map[string]string

func (e env) lookup(name string) (string, bool) { v, ok := e[name]; return v, ok }

func load(t *testing.T, e env, args ...string) (Config, error) {
	t.Helper()
	return loader{command: "serve"}.load(shell{args: args, lookup: e.lookup, stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}})
}

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFlagWinsOverEnvironmentOverFileOverDefault(t *testing.T) {
	file := writeFile(t, "easel.yaml", "addr: 127.0.0.1:1\nregion: from-file\nmax-upload: 3MiB\ndev: true\norigins: [https://a.example, https://b.example]\nretention:\n")
	c, err := load(t, env{"EASEL_ADDR": "127.0.0.1:2", "EASEL_REGION": "from-env", "EASEL_NODE": ""}, "--config", file, "--addr", "127.0.0.1:3")
	if err != nil {
		t.Fatal(err)
	}
	got := []any{c.HTTP.Addr, c.Store.Region, c.Limits.Upload, c.Dev, c.HTTP.Origins, c.Life.Retention, c.Store.Node, c.Limits.Body}
	want := []any{"127.0.0.1:3", "from-env", int64(3 << 20), true, []string{"https://a.example", "https://b.example"}, 720 * time.Hour, "", int64(1 << 20)}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestConfigFileIsFoundByEnvironment(t *testing.T) {
	c, err := load(t, env{"EASEL_CONFIG": writeFile(t, "easel.yaml", "region: north\n")})
	if err != nil || c.Store.Region != "north" {
		t.Errorf("got %q, %v", c.Store.Region, err)
	}
}

func TestDefaultsAreGood(t *testing.T) {
	c, err := load(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.check(env{}.lookup); err != nil {
		t.Error(err)
	}
	if got := c.Store.home(); got != "dir:data/store" {
		t.Errorf("home %q", got)
	}
}

// TestBadConfigurationNamesTheKeyOnOneLine runs the program as main does.
func TestBadConfigurationNamesTheKeyOnOneLine(t *testing.T) {
	good := strings.Repeat("s", 32)
	for _, tc := range []struct {
		name string
		env  env
		file string
		args []string
		want string // in the one line on stderr
	}{
		{name: "unknown flag", args: []string{"--adr", "x"}, want: "--adr"},
		{name: "flag without value", args: []string{"--addr"}, want: "--addr"},
		{name: "stray argument", args: []string{"now"}, want: `"now"`},
		{name: "address without port", args: []string{"--addr", "localhost"}, want: "--addr: must be HOST:PORT"},
		{name: "empty address", args: []string{"--addr", ""}, want: "--addr"},
		{name: "port out of range", env: env{"EASEL_ADDR": "127.0.0.1:70000"}, want: "EASEL_ADDR"},
		{name: "empty data", args: []string{"--data", ""}, want: "--data"},
		{name: "unknown store", args: []string{"--store", "ftp://x"}, want: "--store"},
		{name: "store without folder", args: []string{"--store", "dir:"}, want: "--store"},
		{name: "S3 without credentials", args: []string{"--store", "s3://bucket/p"}, want: "--store: needs AWS_ACCESS_KEY_ID"},
		{name: "S3 with an unknown parameter", args: []string{"--store", "s3://bucket/p?regoin=x"}, want: "regoin"},
		{name: "S3 with a bad prefix", env: env{"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, args: []string{"--store", "s3://bucket/a//b?endpoint=http://127.0.0.1:1"}, want: "--store: prefix"},
		{name: "S3 that nobody serves", env: env{"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, args: []string{"--store", "s3://bucket/p?endpoint=http://127.0.0.1:1"}, want: "--store: "},
		{name: "bad node name", args: []string{"--node", "a b"}, want: "--node"},
		{name: "short secret", args: []string{"--jwt-secret", good + ",short"}, want: "--jwt-secret: secret 2 of 2"},
		{name: "bad key server", args: []string{"--jwks-url", "file:///keys"}, want: "--jwks-url"},
		{name: "origin with a path", args: []string{"--origins", "https://a.example/x"}, want: "--origins"},
		{name: "origin pattern", args: []string{"--origins", "https://*.example"}, want: "--origins"},
		{name: "origin in capitals", args: []string{"--origins", "https://App.example"}, want: "--origins"},
		{name: "origin star", args: []string{"--origins", "*"}, want: "--origins"},
		{name: "certificate without key", args: []string{"--tls-cert", "x.pem"}, want: "--tls-key"},
		{name: "key without certificate", args: []string{"--tls-key", "x.pem"}, want: "--tls-cert"},
		{name: "no such certificate", args: []string{"--tls-cert", "/none.pem", "--tls-key", "/none.pem"}, want: "--tls-"},
		{name: "cluster without key", args: []string{"--cluster-bind", "10.0.0.1:7946", "--jwt-secret", good}, want: "--cluster-key"},
		{name: "cluster without secret", args: []string{"--cluster-bind", "127.0.0.1:7946"}, want: "--jwt-secret"},
		{name: "cluster on a folder", args: []string{"--cluster-bind", "127.0.0.1:7946", "--jwt-secret", good}, want: "--store"},
		{name: "a key for others who are not looked for", args: []string{"--cluster-key", base64.StdEncoding.EncodeToString([]byte(good))}, want: "--cluster-key"},
		{name: "a port for others who are not looked for", args: []string{"--rpc-bind", "127.0.0.1:0"}, want: "--rpc-bind"},
		{name: "a name for others who are not looked for", args: []string{"--advertise", "a.example"}, want: "--advertise"},
		{name: "others to join without a place of its own", args: []string{"--cluster-join", "127.0.0.1:7946"}, want: "--cluster-bind"},
		{name: "commits that wait for ever", args: []string{"--linger", "10h"}, want: "--linger"},
		{name: "bad cluster key", args: []string{"--cluster-key", "abcd"}, want: "--cluster-key"},
		{name: "bad join address", args: []string{"--cluster-join", "a:1,b"}, want: "--cluster-join"},
		{name: "bad switch", env: env{"EASEL_DEV": "maybe"}, want: "--dev"},
		{name: "bad size", args: []string{"--max-upload", "10MB"}, want: "--max-upload"},
		{name: "size overflow", args: []string{"--max-upload", "9999999999TiB"}, want: "--max-upload"},
		{name: "zero sockets", args: []string{"--image-sockets", "0"}, want: "--image-sockets"},
		{name: "bad duration", args: []string{"--retention", "30d"}, want: "--retention"},
		{name: "negative duration", args: []string{"--retention", "-1h"}, want: "--retention"},
		{name: "bad schedule", args: []string{"--chores", "often"}, want: "--chores"},
		{name: "bad level", args: []string{"--log-level", "loud"}, want: "--log-level"},
		{name: "bad format", args: []string{"--log-format", "xml"}, want: "--log-format"},
		{name: "no such file", args: []string{"--config", "/none.yaml"}, want: "--config"},
		{name: "file: no YAML", file: "addr: [", want: "--config"},
		{name: "file: no map", file: "- addr\n", want: "--config"},
		{name: "file: unknown key", file: "region: x\njwt-secert: y\n", want: "--jwt-secert: unknown key"},
		{name: "file: key twice", file: "region: x\nregion: y\n", want: "region"},
		{name: "file: config inside", file: "config: x.yaml\n", want: "--config: unknown key"},
		{name: "file: nested", file: "addr:\n  host: x\n", want: "--addr"},
		{name: "file: bad value", file: "tenant-images: -4\n", want: "--tenant-images"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args := tc.args
			if tc.file != "" {
				args = append(args, "--config", writeFile(t, "easel.yaml", tc.file))
			}
			if !strings.Contains(strings.Join(args, " "), "--data") {
				args = append(args, "--data="+t.TempDir())
			}
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), shell{args: append([]string{"serve"}, args...), lookup: tc.env.lookup, stdout: &stdout, stderr: &stderr})
			if code != exitBadUsage {
				t.Errorf("exit code %d, want %d", code, exitBadUsage)
			}
			line := stderr.String()
			if strings.Count(line, "\n") != 1 || !strings.Contains(line, tc.want) {
				t.Errorf("stderr %q, want one line with %q", line, tc.want)
			}
			if strings.Contains(line, good) {
				t.Error("the message shows a secret")
			}
		})
	}
}

func TestHelpNamesEveryKey(t *testing.T) {
	var out bytes.Buffer
	code := run(t.Context(), shell{args: []string{"serve", "--help"}, lookup: env{}.lookup, stdout: &out, stderr: &out})
	if code != exitOK {
		t.Errorf("exit code %d", code)
	}
	for _, o := range (&Config{}).options() {
		if !strings.Contains(out.String(), "--"+o.name) || !strings.Contains(out.String(), envName(o.name)) {
			t.Errorf("help says nothing of %s", o.name)
		}
	}
}

func TestEveryOptionIsSetAndDocumented(t *testing.T) {
	fs := flag.NewFlagSet("x", flag.ContinueOnError)
	for _, o := range (&Config{}).options() {
		if o.usage == "" || o.set == nil {
			t.Errorf("%s says or does nothing", o.name)
		}
		fs.Func(o.name, "", o.set) // panics if a name is used twice
	}
}
