package e2e_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/easelhq/easel/internal/freeport"
)

// run runs a command to its end and returns its exit code and outputs.
func run(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := command(t.Context(), args...)
	cmd.Env = append(cmd.Env, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	} else if ok {
		return exit.ExitCode(), out.String(), errs.String()
	}
	return 0, out.String(), errs.String()
}

// TestContractBadConfiguration: a bad value stops the process with exit code 2 and
// one line that names the key, wherever the value is from.
func TestContractBadConfiguration(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct{ key, value string }{
		{"addr", "nonsense"},
		{"addr", "127.0.0.1:99999"},
		{"addr", "no.such.host.invalid:80"},
		{"data", file},
		{"data", file + "/below"},
		{"store", "ftp://x"},
		{"store", "dir:"},
		{"store", "dir:" + file},
		{"store", "nonsense"},
		{"store", "s3://"},
		{"node", "two words"},
		{"region", "a\tb"},
		{"jwt-secret", "short"},
		{"jwt-secret", strings.Repeat("x", 32) + ",short"},
		{"jwks-url", "nonsense"},
		{"jwks-url", "ftp://example.com/keys"},
		{"origins", "example.com"},
		{"origins", "https://example.com/path"},
		{"cluster-bind", "nonsense"},
		{"cluster-join", "nonsense"},
		{"rpc-bind", "nonsense"},
		{"cluster-key", "c2hvcnQ="},
		{"cluster-key", "%"},
		{"tls-cert", file},
		{"tls-cert", "/no/such/file"},
		{"tls-key", "/no/such/file"},
		{"dev", "perhaps"},
		{"max-upload", "-1"},
		{"max-upload", "many"},
		{"client-ops", "-5"},
		{"retention", "soon"},
		{"chores", "now and then"},
		{"config", "/no/such/file"},
		{"config", file},
	}
	for _, c := range cases {
		t.Run(c.key+"="+filepath.Base(c.value), func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			yaml := filepath.Join(t.TempDir(), "easel.yaml")
			if err := os.WriteFile(yaml, fmt.Appendf(nil, "%s: %q\n", c.key, c.value), 0o600); err != nil {
				t.Fatal(err)
			}
			sources := map[string]struct{ env, args []string }{
				"flag": {args: []string{"--" + c.key + "=" + c.value}},
				"env":  {env: []string{"EASEL_" + strings.ToUpper(strings.ReplaceAll(c.key, "-", "_")) + "=" + c.value}},
				"file": {args: []string{"--config=" + yaml}},
			}
			if c.key == "config" {
				delete(sources, "file")
			}
			for name, s := range sources {
				args := []string{"serve"}
				if c.key != "addr" {
					args = append(args, "--addr=127.0.0.1:0")
				}
				if c.key != "data" {
					args = append(args, "--data="+data)
				}
				code, _, stderr := run(t, s.env, append(args, s.args...)...)
				if code != 2 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, c.key) {
					t.Errorf("by %s: exit code %d, stderr %q", name, code, stderr)
				}
			}
		})
	}
}

func TestContractUnknownKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"flag":            {[]string{"serve", "--addrr=x"}, "addrr"},
		"file":            {[]string{"serve", "--config=" + write("a", "addrr: x\n")}, "addrr"},
		"file, snake":     {[]string{"serve", "--config=" + write("b", "jwt_secret: x\n")}, "jwt_secret"},
		"file, twice":     {[]string{"serve", "--config=" + write("c", "region: x\nregion: y\n")}, "region"},
		"file, nested":    {[]string{"serve", "--config=" + write("d", "region:\n  a: b\n")}, "region"},
		"argument":        {[]string{"serve", "region"}, "region"},
		"token flag":      {[]string{"token", "--usr=x"}, "usr"},
		"token, no user":  {[]string{"token", "--tenant=x"}, "user"},
		"token, bad role": {[]string{"token", "--tenant=x", "--user=u", "--role=king"}, "role"},
		"token, bad ttl":  {[]string{"token", "--tenant=x", "--user=u", "--ttl=soon"}, "ttl"},
		"token, user:":    {[]string{"token", "--tenant=user:x", "--user=u"}, "tenant"},
		"half of TLS":     {[]string{"serve", "--tls-key=" + write("k", "x")}, "tls-"},
		"open cluster":    {[]string{"serve", "--cluster-bind=0.0.0.0:7946"}, "cluster-"},
		"command":         {[]string{"sevre"}, "sevre"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := c.args
			if args[0] != "sevre" {
				args = append(args, "--data="+t.TempDir())
			}
			code, _, stderr := run(t, nil, args...)
			if code != 2 || !strings.Contains(stderr, c.want) || strings.Count(strings.TrimSpace(stderr), "\n") != 0 {
				t.Errorf("exit code %d, stderr %q", code, stderr)
			}
		})
	}
}

// TestContractPrecedence: flag, environment, file, default.
func TestContractPrecedence(t *testing.T) {
	t.Parallel()
	yaml := filepath.Join(t.TempDir(), "easel.yaml")
	if err := os.WriteFile(yaml, []byte("region: from-file\nnode: n-file\njwt-secret: "+signingSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		env, args []string
		want      string
	}{
		"default": {nil, nil, "local"},
		"file":    {nil, []string{"--config=" + yaml}, "from-file"},
		"env":     {[]string{"EASEL_REGION=from-env", "EASEL_CONFIG=" + yaml}, nil, "from-env"},
		"flag":    {[]string{"EASEL_REGION=from-env", "EASEL_CONFIG=" + yaml}, []string{"--region", "from-flag"}, "from-flag"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := startIn(t, c.env, append([]string{"--data=" + t.TempDir(), "--addr=127.0.0.1:0"}, c.args...)...)
			var health struct{ Status, Region, Node, Version string }
			if err := newAPI(n.base, "").must(t, 200, "GET", "/health", nil).into(&health); err != nil {
				t.Fatal(err)
			}
			if health.Region != c.want || health.Status != "ok" || health.Node == "" || health.Version == "" {
				t.Errorf("health is %+v, want region %s", health, c.want)
			}
			if name != "default" {
				newAPI(n.base, bearer(nil)).must(t, 200, "GET", "/api/me", nil)
			}
		})
	}
}

// startIn starts a node whose whole configuration the caller gives.
func startIn(t *testing.T, env []string, args ...string) *node {
	t.Helper()
	cmd := command(context.Background(), append([]string{"serve"}, args...)...)
	cmd.Env = append(cmd.Env, env...)
	return await(t, follow(t, cmd, ""))
}

func TestContractNodeKeepsItsName(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	name := func() string {
		n := start(t, data)
		defer n.kill()
		return string(member(t, newAPI(n.base, "").must(t, 200, "GET", "/health", nil).body, "node"))
	}
	first := name()
	kept, err := os.ReadFile(filepath.Join(data, "node"))
	if err != nil {
		t.Fatal(err)
	}
	if again := name(); again != first || first != fmt.Sprintf("%q", strings.TrimSpace(string(kept))) {
		t.Errorf("first %s, then %s, kept %s", first, again, kept)
	}
}

// TestContractSecrets: the first secret signs, all verify; a made one is kept.
func TestContractSecrets(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	old, young := strings.Repeat("o", 32), strings.Repeat("y", 40)
	_, byOld, _ := run(t, nil, "token", "--data="+data, "--jwt-secret="+old, "--tenant=acme", "--user=ada")
	_, byBoth, _ := run(t, []string{"EASEL_JWT_SECRET=" + young + "," + old}, "token", "--data="+data, "--tenant=acme", "--user=ada", "--role=admin", "--name=Ada L", "--ttl=90m")
	n := start(t, data, "--jwt-secret="+young+","+old)
	newAPI(n.base, strings.TrimSpace(byOld)).must(t, 200, "GET", "/api/me", nil)
	got := newAPI(n.base, strings.TrimSpace(byBoth)).must(t, 200, "GET", "/api/me", nil)
	if want := `{"user_id":"ada","tenant":"acme","role":"admin","name":"Ada L"}`; strings.TrimSpace(string(got.body)) != want {
		t.Errorf("me is %s", got.body)
	}
	n.kill()
	n = start(t, data, "--jwt-secret="+young)
	newAPI(n.base, strings.TrimSpace(byBoth)).must(t, 200, "GET", "/api/me", nil)
	newAPI(n.base, strings.TrimSpace(byOld)).refused(t, "unauthorized", "GET", "/api/me", nil)
	if _, err := os.Stat(filepath.Join(data, "jwt-secret")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a secret was made although one was given: %v", err)
	}
}

// TestContractTokenBeforeServe: whoever makes a token first gets one that works.
func TestContractTokenBeforeServe(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "new")
	code, out, stderr := run(t, nil, "token", "--data="+data, "--tenant=acme", "--user=ada")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if strings.Count(out, "\n") != 1 {
		t.Errorf("stdout %q", out)
	}
	newAPI(start(t, data).base, strings.TrimSpace(out)).must(t, 200, "GET", "/api/me", nil)
}

func TestContractVersionAndDoctor(t *testing.T) {
	t.Parallel()
	code, out, _ := run(t, nil, "version")
	if code != 0 || !strings.Contains(out, "easel") {
		t.Errorf("version: exit code %d, %q", code, out)
	}
	data := t.TempDir()
	if code, out, stderr := run(t, nil, "doctor", "--data="+data, "--addr=127.0.0.1:0"); code != 0 {
		t.Errorf("doctor: exit code %d\n%s%s", code, out, stderr)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, args := range map[string][]string{
		"store": {"--store=dir:/proc/nothing", "--addr=127.0.0.1:0"},
		"addr":  {"--addr=" + taken.Addr().String()},
	} {
		code, out, stderr := run(t, nil, append([]string{"doctor", "--data=" + data}, args...)...)
		if code == 0 || !strings.Contains(out+stderr, name) {
			t.Errorf("doctor with a bad %s: exit code %d\n%s%s", name, code, out, stderr)
		}
	}
}

// TestContractInterrupt: as SIGTERM, and readers of an event stream get bye too.
func TestContractInterrupt(t *testing.T) {
	t.Parallel()
	w := newSite(t)
	ada := w.as("acme", "ada", "")
	row := ada.upload(t, "a.png", picture(8, 8, 1))
	s := ada.stream(t, row.ID, "")
	s.until(t, "snap")
	if err := w.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	s.until(t, "bye")
	if code := w.wait(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestContractTLS serves HTTPS and wss.
func TestContractTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert": {Type: "CERTIFICATE", Bytes: der}, "key": {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	n := launch(t, t.TempDir(), "--tls-cert="+filepath.Join(dir, "cert"), "--tls-key="+filepath.Join(dir, "key"))
	base := listening(t, n)
	if !strings.HasPrefix(base, "https://") {
		t.Fatalf("it listens on %s", base)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	eventually(t, "health over TLS", func() error {
		res, err := client.Get(base + "/health")
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != 200 {
			return errors.New(res.Status)
		}
		return nil
	})
}

// TestContractClusterKey: a key is needed where strangers can reach the gossip.
func TestContractClusterKey(t *testing.T) {
	t.Parallel()
	code, _, stderr := run(t, nil, "serve", "--data="+t.TempDir(), "--addr=127.0.0.1:0", "--cluster-bind=0.0.0.0:0", "--jwt-secret="+signingSecret)
	if code != 2 || !strings.Contains(stderr, "cluster-key") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	key := base64.StdEncoding.EncodeToString(make([]byte, 32))
	code, _, stderr = run(t, nil, "serve", "--data="+t.TempDir(), "--addr=127.0.0.1:0", "--cluster-bind=127.0.0.1:0", "--cluster-key="+key)
	if code != 2 || strings.Count(stderr, "\n") != 1 {
		t.Errorf("a cluster without a common secret: exit code %d, stderr %q", code, stderr)
	}
}

// TestContractClusterRefusals: what a member cannot start with is told by its key,
// also if only the machine knows that it is wrong.
func TestContractClusterRefusals(t *testing.T) {
	t.Parallel()
	store := homeOn(startS3(t, "fake"))
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	for name, c := range map[string]struct {
		key   string
		flags []string
	}{
		"port of gossip in use": {"cluster-bind", []string{"--cluster-bind=" + taken.Addr().String()}},
		"port of gRPC in use":   {"rpc-bind", []string{"--cluster-bind=127.0.0.1:0", "--rpc-bind=" + taken.Addr().String()}},
		"open gRPC, no key":     {"cluster-key", []string{"--cluster-bind=127.0.0.1:0", "--rpc-bind=0.0.0.0:0"}},
		"nobody's host":         {"advertise", []string{"--cluster-bind=127.0.0.1:0", "--advertise=127.0.0.1:7"}},
		"host name to listen":   {"cluster-bind", []string{"--cluster-bind=no.such.host.invalid:0", "--cluster-key=" + base64.StdEncoding.EncodeToString(make([]byte, 32))}},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"serve", "--addr=127.0.0.1:0", "--data=" + t.TempDir(), "--store=" + store, "--jwt-secret=" + signingSecret}, c.flags...)
			code, _, stderr := run(t, nil, args...)
			if code != 2 || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "easel: --"+c.key+":") {
				t.Errorf("exit code %d, stderr %q", code, stderr)
			}
		})
	}
}

// TestContractStopsWhileItStarts: a node that is told to stop before it serves, here
// while it looks for others, was not configured badly.
func TestContractStopsWhileItStarts(t *testing.T) {
	t.Parallel()
	store := homeOn(startS3(t, "fake"))
	n := launch(t, t.TempDir(), "--store="+store, "--cluster-bind=127.0.0.1:0", "--cluster-join="+freeport.Loopback(t), secretFlag())
	eventually(t, "the node has begun", func() error {
		_, err := os.Stat(filepath.Join(n.data, "node"))
		return err
	})
	if code := n.stop(t); code != 0 {
		t.Errorf("exit code %d:\n%s", code, n.stderr)
	}
}
