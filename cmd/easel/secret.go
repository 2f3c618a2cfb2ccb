package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// secretFile holds the HS256 secrets of a node that was given none.
const secretFile = "jwt-secret"

// loadSecrets returns the configured secrets or those in <data>/jwt-secret, which
// it makes if there are none; made reports that. The folder must exist.
func loadSecrets(c Config) (list []string, made bool, err error) {
	if len(c.Identity.Secrets) > 0 {
		return c.Identity.Secrets, false, nil
	}
	path := filepath.Join(c.Store.Data, secretFile)
	b, made, err := readOrMake(path, func() string { return hex.EncodeToString(randomBytes(32)) })
	if err != nil {
		return nil, false, badKey("data", "%v", err)
	}
	if err := secrets(&list)(strings.TrimSpace(b)); err != nil {
		return nil, false, badKey("jwt-secret", "%v (from %s)", err, path)
	}
	if len(list) == 0 {
		return nil, false, badKey("jwt-secret", "%s is empty; delete it to get a new one", path)
	}
	return list, made, nil
}

// loadNode returns the configured node name or the one in <data>/node, which it
// makes if there is none.
func loadNode(c Config) (string, error) {
	if c.Store.Node != "" {
		return c.Store.Node, nil
	}
	path := filepath.Join(c.Store.Data, "node")
	b, _, err := readOrMake(path, func() string {
		host, err := os.Hostname()
		if err != nil {
			host = "node"
		}
		host = regexp.MustCompile(`[^A-Za-z0-9._-]+`).ReplaceAllString(host, "-")
		return host[:min(len(host), 48)] + "-" + hex.EncodeToString(randomBytes(4))
	})
	if err != nil {
		return "", badKey("data", "%v", err)
	}
	name := strings.TrimSpace(b)
	if !validName(name) {
		return "", badKey("node", "%s does not hold a node name", path)
	}
	return name, nil
}

// readOrMake returns the content of a small private file. One that does not exist
// is made whole or not at all: two processes that start at once see the same.
func readOrMake(path string, content func() string) (text string, made bool, err error) {
	b, err := os.ReadFile(path)
	if err == nil {
		return string(b), false, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", false, err
	}
	temp := fmt.Sprintf("%s.%s", path, hex.EncodeToString(randomBytes(4)))
	if err := writeSynced(temp, content()+"\n"); err != nil {
		return "", false, err
	}
	// A link, unlike a rename, never replaces what another process made meanwhile.
	err = os.Link(temp, path)
	if removeErr := os.Remove(temp); err == nil {
		err = removeErr
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return "", false, err
	}
	made = err == nil
	if b, err = os.ReadFile(path); err != nil {
		return "", false, err
	}
	return string(b), made, nil
}

func writeSynced(path, content string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails; it ends the process instead
	return b
}

func secretBytes(list []string) [][]byte {
	out := make([][]byte, len(list))
	for i, s := range list {
		out[i] = []byte(s)
	}
	return out
}
