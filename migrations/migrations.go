// Package migrations holds the schemas of actors' files as SQL scripts, one
// folder for each kind of actor, oldest first by name. A script is never edited
// after a release that contains it: files in the field were made by it.
package migrations

import (
	"embed"
	"fmt"
	"io/fs"
	"path"

	"github.com/easelhq/easel/sqlite"
)

//go:embed */*.sql
var scripts embed.FS

// Image returns the schema of an image's file.
func Image() (*sqlite.Schema, error) { return schema("image") }

// Tenant returns the schema of a tenant's file.
func Tenant() (*sqlite.Schema, error) { return schema("tenant") }

// schema reads the scripts of one folder in the order of their names.
func schema(kind string) (*sqlite.Schema, error) {
	// Glob sorts; none is no error.
	names, err := fs.Glob(scripts, path.Join(kind, "*.sql"))
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
	s, err := sqlite.NewSchema(kind, texts)
	if err != nil {
		return nil, fmt.Errorf("make %s schema: %w", kind, err)
	}
	return s, nil
}
