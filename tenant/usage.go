package tenant

import (
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
)

// quotaRetry is the time to retry that goes with a full quota: somebody has to
// remove something first.
const quotaRetry = time.Minute

func (s *State) usage(t Turn) (actors.Message, error) {
	used, err := loadUsage(t.Tx())
	if err != nil {
		return nil, err
	}
	return UsageReply{Used: used, Limits: Amounts{Images: s.o.MaxImages, Bytes: s.o.MaxBytes}}, nil
}

// charge adds d to what is used. It is CodeRateLimited if something that d adds
// to is then above its limit; what only gets smaller is never refused.
func (s *State) charge(t Turn, d Amounts) error {
	used, err := loadUsage(t.Tx())
	if err != nil {
		return err
	}
	if d.Images > 0 && used.Images+d.Images > s.o.MaxImages {
		return full("images", s.o.MaxImages)
	}
	if d.Bytes > 0 && used.Bytes+d.Bytes > s.o.MaxBytes {
		return full("bytes", s.o.MaxBytes)
	}
	return addUsage(t.Tx(), d)
}

func full(what string, limit int64) error {
	e := easel.Errorf(easel.CodeRateLimited, "the tenant's quota of %d %s is used up", limit, what)
	e.RetryAfter = quotaRetry
	return e
}

func loadUsage(tx *sqlite.Tx) (Amounts, error) {
	var a Amounts
	err := tx.Row(`SELECT images, bytes, files, kv_keys, kv_bytes, members, keys FROM usage`, nil,
		&a.Images, &a.Bytes, &a.Files, &a.KVKeys, &a.KVBytes, &a.Members, &a.Keys)
	return a, err
}

// addUsage adds d, whose numbers may be negative, without looking at limits.
func addUsage(tx *sqlite.Tx, d Amounts) error {
	if d == (Amounts{}) {
		return nil
	}
	_, err := tx.Exec(`UPDATE usage SET images = images + ?, bytes = bytes + ?, files = files + ?,
		kv_keys = kv_keys + ?, kv_bytes = kv_bytes + ?, members = members + ?, keys = keys + ?`,
		d.Images, d.Bytes, d.Files, d.KVKeys, d.KVBytes, d.Members, d.Keys)
	return err
}

// nextRev returns a number that no earlier write of this tenant had.
func nextRev(tx *sqlite.Tx) (rev int64, err error) {
	if _, err := tx.Exec(`UPDATE usage SET rev = rev + 1`); err != nil {
		return 0, err
	}
	err = tx.Row(`SELECT rev FROM usage`, nil, &rev)
	return rev, err
}
