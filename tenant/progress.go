package tenant

import (
	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
)

// Progress is how far the work on an image is. Whoever may amend an image says so
// as "state" in its metadata; what nobody has said, or what is no Progress, is new.
type Progress string

// All there are.
const (
	ProgressNew  Progress = "new"
	ProgressOpen Progress = "in_progress"
	ProgressDone Progress = "done"
)

// progresses are all there are, each at the number that the column progress has for it.
var progresses = [...]Progress{ProgressNew, ProgressOpen, ProgressDone}

// column returns the number that stands for p in the file.
func (p Progress) column() (int, error) {
	for i, known := range progresses {
		if p == known {
			return i, nil
		}
	}
	return 0, easel.Invalid("state", "must be new, in_progress or done")
}

// countProgress counts images by how far the work on them is. It looks at the
// newest maxScan images (of each progress, unless there is a label), so that a
// large tenant is not kept busy: more says that there are others.
func (s *State) countProgress(t Turn, m ImageProgress) (actors.Message, error) {
	needle := ""
	if m.Filename != nil {
		needle = fold(*m.Filename)
	}
	counts := make([]int64, len(progresses))
	var more bool
	for i := range progresses {
		scanned, err := countOne(t.Tx(), m, i, needle, &counts[i])
		if err != nil {
			return nil, err
		}
		more = more || scanned > maxScan
	}
	return ImageProgressReply{New: counts[0], InProgress: counts[1], Done: counts[2], More: more}, nil
}

// countOne sets n to the images of one progress, and returns how many rows it saw.
func countOne(tx *sqlite.Tx, m ImageProgress, progress int, needle string, n *int64) (scanned int64, err error) {
	const count = `SELECT COUNT(*), COUNT(*) FILTER (WHERE progress = ? AND (? = '' OR uploaded_by = ?) AND instr(folded, ?) > 0) FROM `
	filter := []any{progress, m.UploadedBy, m.UploadedBy, needle}
	if m.Label != nil {
		return scanned, tx.Row(count+`(SELECT i.progress, i.uploaded_by, i.folded
			FROM image_label l JOIN image i ON i.id = l.image_id
			WHERE l.label = ? AND i.state = 1 AND i.deleted_at = 0 ORDER BY l.created_at DESC, l.image_id DESC LIMIT ?)`,
			append(filter, *m.Label, maxScan+1), &scanned, n)
	}
	return scanned, tx.Row(count+`(SELECT progress, uploaded_by, folded FROM image
		WHERE progress = ? AND state = 1 AND deleted_at = 0 ORDER BY created_at DESC, id DESC LIMIT ?)`,
		append(filter, progress, maxScan+1), &scanned, n)
}
