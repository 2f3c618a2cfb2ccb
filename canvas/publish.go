package canvas

import (
	"errors"
	"fmt"
	"os"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/migrations"
	"github.com/easelhq/easel/sqlite"
)

// PublicFormat is the user_version of files that Publish makes. It grows when a
// table or a column is renamed or removed, not when one is added.
const PublicFormat = 1

// Published says what a published file shows.
type Published struct {
	Image easel.Image
	Epoch string
	Ver   int64
	// Tag differs whenever the content differs: besides the version it counts
	// changes of the image's row and chat messages.
	Tag string
}

// Publish makes the file that somebody is given who asks for the image as a
// database: only tables of the public schema (docs/data.md), nothing of other
// clients' ids, verdicts, alarms or half-made bulks, and no page that ever held
// them. from is a private copy of the image's file, which is used up; to must not
// exist. CodeGone for a deleted image, CodeNotFound for one that was never born or
// is purged.
func Publish(from, to string) (p Published, err error) {
	schema, err := FileSchema()
	if err != nil {
		return Published{}, err
	}
	db, err := sqlite.Open(from, schema)
	if err != nil {
		return Published{}, fmt.Errorf("publish image: %w", err)
	}
	defer func() {
		err = errors.Join(err, db.Close(), os.Remove(from))
	}()
	tx, err := db.Begin()
	if err != nil {
		return Published{}, err
	}
	if p, err = look(tx); err != nil {
		return Published{}, errors.Join(err, db.Rollback())
	}
	if err := makePublic(tx, p); err != nil {
		return Published{}, errors.Join(fmt.Errorf("publish image: %w", err), db.Rollback())
	}
	if err := db.Commit(); err != nil {
		return Published{}, fmt.Errorf("publish image: %w", err)
	}
	return p, db.Export(to)
}

// FileSchema returns the schema of images' files.
func FileSchema() (*sqlite.Schema, error) {
	scripts, err := migrations.Image()
	if err != nil {
		return nil, err
	}
	return actors.NewSchema(KindName, scripts)
}

// look returns what the file of an image that can be read is of.
func look(tx *sqlite.Tx) (Published, error) {
	r, err := loadImage(tx)
	switch {
	case errors.Is(err, sqlite.ErrNoRows), err == nil && r.purged:
		return Published{}, errNoImage
	case err != nil:
		return Published{}, err
	case r.DeletedAt != 0:
		return Published{}, errDeleted
	}
	h, err := loadHead(tx)
	if err != nil {
		return Published{}, err
	}
	p := Published{Image: r.Image, Epoch: r.epoch, Ver: h.ver}
	p.Image.Version, p.Image.AnnotationCount = h.ver, h.live
	p.Tag = tag(r.epoch, h.ver, r.changes, h.message)
	return p, nil
}

func tag(epoch string, ver, changes int64, message easel.ID) string {
	return fmt.Sprintf("%s-%d-%d-%s", epoch, ver, changes, message)
}

// Facts are what a check of a home wants to know of an image's file.
type Facts struct {
	Image  easel.Image // with its version
	Purged bool
	Born   bool
	Sums   []byte // of the blocks of the image's file; empty: not known
	// Objects are the names of the objects of history that the image stands on, and
	// that lie beside its file as "hist-" and the name.
	Objects []string
}

// ReadFacts reads a private copy of an image's file.
func ReadFacts(tx *sqlite.Tx) (Facts, error) {
	r, err := loadImage(tx)
	if errors.Is(err, sqlite.ErrNoRows) {
		return Facts{}, nil
	}
	if err != nil {
		return Facts{}, err
	}
	h, err := loadHead(tx)
	if err != nil {
		return Facts{}, err
	}
	r.Version, r.AnnotationCount = h.ver, h.live
	f := Facts{Image: r.Image, Purged: r.purged, Born: true}
	if f.Sums, err = loadSums(tx); err != nil {
		return Facts{}, err
	}
	err = liveChunks(tx, func(c Chunk) {
		f.Objects = append(f.Objects, c.Ops)
		if c.Keyframe != "" {
			f.Objects = append(f.Objects, c.Keyframe)
		}
	})
	return f, err
}
