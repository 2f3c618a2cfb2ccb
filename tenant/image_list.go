package tenant

import (
	"errors"
	"strings"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
)

// Bounds of one page beside its limit: a search gives up after so many rows, and
// a page is cut after so many bytes of metadata, both with a cursor to go on.
const (
	maxScan     = 20_000
	maxPageSize = 1 << 20
)

// imagesList is the name of the list in its cursors.
const imagesList = "images"

func (s *State) images(t Turn, m Images) (actors.Message, error) {
	from, err := parsePosition(imagesList, m.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := searchImages(t.Tx(), m, from)
	if err != nil {
		return nil, err
	}
	reply := ImagesReply{Images: make([]easel.Image, 0, len(found.ids))}
	size := 0
	for i, id := range found.ids {
		image, err := loadImage(t.Tx(), id)
		if err != nil {
			return nil, err
		}
		reply.Images = append(reply.Images, image)
		size += len(image.Metadata)
		if size > maxPageSize && i < len(found.ids)-1 {
			reply.Next = position{at: image.CreatedAt, id: id}.cursor(imagesList)
			return reply, nil
		}
	}
	if found.more {
		reply.Next = found.last.cursor(imagesList)
	}
	return reply, nil
}

// hits is what a search found, in the order of the list.
type hits struct {
	ids  []easel.ID
	last position // of the last row looked at and dealt with
	more bool     // there are rows after last
}

// searchImages looks through the rows after from. The index that the rows come
// by already has what the filters need.
func searchImages(tx *sqlite.Tx, m Images, from position) (hits, error) {
	limit := pageLimit(m.Limit)
	var err error
	progress := -1
	if m.Progress != "" {
		if progress, err = m.Progress.column(); err != nil {
			return hits{}, err
		}
	}
	rows, err := queryImages(tx, m, progress, from)
	if err != nil {
		return hits{}, err
	}
	needle := ""
	if m.Filename != nil {
		needle = fold(*m.Filename)
	}
	var h hits
	for scanned := 0; rows.Next(); scanned++ {
		if scanned == maxScan {
			h.more = true
			break
		}
		var (
			p          position
			by, folded string
			worked     int
		)
		if err := rows.Scan(&p.at, &p.id, &by, &folded, &worked); err != nil {
			return hits{}, errors.Join(err, rows.Close())
		}
		if (m.UploadedBy == "" || by == m.UploadedBy) && (progress < 0 || worked == progress) && strings.Contains(folded, needle) {
			// One hit more than the page takes, so that the last page is known to
			// be the last.
			if len(h.ids) == limit {
				h.more = true
				break
			}
			h.ids = append(h.ids, p.id)
		}
		h.last = p
	}
	return h, rows.Close()
}

// queryImages opens the rows by the narrowest index. What makes progress is read
// from the metadata where the index does not have it, so only if it is asked for.
func queryImages(tx *sqlite.Tx, m Images, progress int, from position) (*sqlite.Rows, error) {
	switch {
	case m.Label != nil:
		return tx.Query(`SELECT l.created_at, l.image_id, i.uploaded_by, i.folded, CASE WHEN ? < 0 THEN 0 ELSE i.progress END
			FROM image_label l JOIN image i ON i.id = l.image_id
			WHERE l.label = ? AND (l.created_at, l.image_id) < (?, ?) AND i.state = 1 AND i.deleted_at = 0
			ORDER BY l.created_at DESC, l.image_id DESC`, progress, *m.Label, from.at, from.id)
	case progress >= 0:
		return tx.Query(`SELECT created_at, id, uploaded_by, folded, progress FROM image
			WHERE state = 1 AND deleted_at = 0 AND progress = ? AND (created_at, id) < (?, ?)
			ORDER BY created_at DESC, id DESC`, progress, from.at, from.id)
	case m.UploadedBy != "":
		return tx.Query(`SELECT created_at, id, uploaded_by, folded, 0 FROM image
			WHERE state = 1 AND deleted_at = 0 AND uploaded_by = ? AND (created_at, id) < (?, ?)
			ORDER BY created_at DESC, id DESC`, m.UploadedBy, from.at, from.id)
	default:
		return tx.Query(`SELECT created_at, id, uploaded_by, folded, 0 FROM image
			WHERE state = 1 AND deleted_at = 0 AND (created_at, id) < (?, ?)
			ORDER BY created_at DESC, id DESC`, from.at, from.id)
	}
}

func loadImage(tx *sqlite.Tx, id easel.ID) (easel.Image, error) {
	rows, err := tx.Query(`SELECT id, filename, content_type, size, sha256, width, height, uploaded_by,
		created_at, deleted_at, annotation_count, version, metadata FROM image WHERE id = ?`, id)
	if err != nil {
		return easel.Image{}, err
	}
	if !rows.Next() {
		return easel.Image{}, errors.Join(sqlite.ErrNoRows, rows.Close())
	}
	image, err := scanImage(rows)
	return image, errors.Join(err, rows.Close())
}
