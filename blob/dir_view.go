package blob

import (
	"fmt"
	"hash/maphash"
	"os"
)

// ViewDir opens a folder of objects to read it, and changes nothing in it, as
// OpenDir does. Only Get, Stat, List and Close may be called.
func ViewDir(path string) (*Dir, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open blob folder: %w", err)
	}
	d := &Dir{root: root, seed: maphash.MakeSeed()}
	d.folders.init(root)
	return d, nil
}
