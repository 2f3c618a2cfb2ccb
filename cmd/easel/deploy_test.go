package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// What people copy must name keys that exist, and be readable by what it is for.

const deploy = "../../deploy"

func TestDeploymentsNameKeysThatExist(t *testing.T) {
	known := map[string]bool{"EASEL_CONFIG": true}
	flags := map[string]bool{"config": true, "help": true}
	for _, o := range new(Config).options() {
		known["EASEL_"+strings.ToUpper(strings.ReplaceAll(o.name, "-", "_"))] = true
		flags[o.name] = true
	}
	names, long := regexp.MustCompile(`\bEASEL_[A-Z_]+\b`), regexp.MustCompile(`easel (?:serve|doctor) --([a-z-]+)`)
	err := filepath.WalkDir(deploy, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, name := range names.FindAllString(string(text), -1) {
			if !known[name] {
				t.Errorf("%s: nothing is called %s", path, name)
			}
		}
		for _, m := range long.FindAllStringSubmatch(string(text), -1) {
			if !flags[m[1]] {
				t.Errorf("%s: no flag is called --%s", path, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDeploymentsAreYAML(t *testing.T) {
	for _, name := range []string{"easel.yaml", "compose.yaml", "kubernetes/easel.yaml"} {
		text, err := os.ReadFile(filepath.Join(deploy, name))
		if err != nil {
			t.Fatal(err)
		}
		docs := 0
		for d := yaml.NewDecoder(bytes.NewReader(text)); ; docs++ {
			var doc map[string]yaml.Node
			if err := d.Decode(&doc); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if strings.HasPrefix(name, "kubernetes/") {
				for _, key := range []string{"apiVersion", "kind", "metadata", "spec"} {
					if _, ok := doc[key]; !ok {
						t.Errorf("%s: document %d has no %s", name, docs, key)
					}
				}
			}
		}
		if docs == 0 {
			t.Errorf("%s is empty", name)
		}
	}
}

func TestConfigOfTheServiceIsRead(t *testing.T) {
	c, err := load(t, nil, "--config", filepath.Join(deploy, "easel.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Store.Data != "/var/lib/easel" {
		t.Errorf("got %+v", c.Store)
	}
}

func TestUnitIsOneThatSystemdKnows(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze here")
	}
	text, err := os.ReadFile(filepath.Join(deploy, "easel.service"))
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "easel.service")
	// The binary is not installed where the tests run.
	if err := os.WriteFile(unit, bytes.ReplaceAll(text, []byte("/usr/local/bin/easel"), []byte("/bin/true")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), tool, "verify", "--man=no", unit).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
