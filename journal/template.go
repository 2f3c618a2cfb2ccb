package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
)

// keepTemplate makes t durable, once, and returns its id.
func (n *Node) keepTemplate(t Template) ([32]byte, error) {
	var id [32]byte
	if b, err := hex.DecodeString(t.ID); err != nil || len(b) != len(id) {
		return id, fmt.Errorf("journal: template id %q", t.ID)
	} else {
		copy(id[:], b)
	}
	n.mu.Lock()
	known := n.templates[id]
	n.mu.Unlock()
	if known {
		return id, nil
	}
	if sha256.Sum256(t.Bytes) != id {
		return id, fmt.Errorf("journal: template %s is not what its id says", t.ID)
	}
	// Many births may come at once: one of them writes the file.
	_, err, _ := n.keeping.Do(t.ID, func() (any, error) {
		path := n.templatePath(t.ID)
		if _, err := readTemplate(n.fs, path, t.ID); err == nil {
			// An earlier process may have died before it synced the folder.
			return nil, n.syncDir(filepath.Dir(path))
		}
		return nil, replaceFile(n.fs, path, t.Bytes)
	})
	if err != nil {
		return id, unavailable("keep template", err)
	}
	n.mu.Lock()
	n.templates[id] = true
	n.mu.Unlock()
	return id, nil
}

func (n *Node) templatePath(id string) string {
	return filepath.Join(n.dir, "templates", id)
}

func (n *Node) readTemplate(name Name, id string) ([]byte, error) {
	b, err := readTemplate(n.fs, n.templatePath(id), id)
	if errors.Is(err, errBadTemplate) || isNotExist(err) {
		return nil, n.corruptActor(name, fmt.Errorf("template %s: %w", id, err))
	}
	if err != nil {
		return nil, unavailable("read template", err)
	}
	return b, nil
}

var errBadTemplate = errors.New("the file is not what its name says")

func readTemplate(fsys FS, path, id string) ([]byte, error) {
	b, err := readFile(fsys, path, maxTemplate)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != id {
		return nil, errBadTemplate
	}
	return b, nil
}
