// Package migrations holds the schemas of actors' files as SQL scripts, one
// folder for each kind of actor, oldest first by name. A script is never edited
// after a release that contains it: files in the field were made by it.
//
// It knows neither SQLite nor actors: a kind's package makes its schema of these
// scripts with actors.NewSchema.
package migrations

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
)

//go:embed */*.sql
var scripts embed.FS

// Image returns the scripts of an image's file, oldest first.
func Image() ([]string, error) { return read("image") }

// Tenant returns the scripts of a tenant's file, oldest first.
func Tenant() ([]string, error) { return read("tenant") }

// read returns the scripts of one folder in the order of their names; none is no
// error.
func read(kind string) ([]string, error) {
	names, err := fs.Glob(scripts, path.Join(kind, "*.sql")) // sorted
	if err != nil {
		return nil, fmt.Errorf("list %s migrations: %w", kind, err)
	}
	texts := make([]string, 0, len(names))
	for _, name := range names {
		text, err := scripts.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read migration %s: %w", name, err)
		}
		texts = append(texts, string(text))
	}
	return texts, nil
}
