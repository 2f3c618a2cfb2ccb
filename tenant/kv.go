package tenant

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/easelhq/easel"
	"github.com/easelhq/easel/actors"
	"github.com/easelhq/easel/sqlite"
)

// sweepEvery is how close together alarms that remove expired values may be. A
// value is absent from the moment it expires, removed or not.
const sweepEvery = 10 * time.Second

func (s *State) kvPut(t Turn, m KVPut) (actors.Message, error) {
	if err := checkName("key", m.Key); err != nil {
		return nil, err
	}
	if err := mayWrite(m.By, m.Key); err != nil {
		return nil, err
	}
	if err := checkTTL(m.TTL); err != nil {
		return nil, err
	}
	if len(m.Value) > MaxValue {
		return nil, easel.Errorf(easel.CodeTooLarge, "a value has at most %d bytes", MaxValue)
	}
	old, err := findValue(t.Tx(), m.Key, easel.At(t.Now()))
	if err != nil {
		return nil, err
	}
	if err := m.If.check(old.live()); err != nil {
		return nil, err
	}
	size := int64(len(m.Value))
	d := Amounts{KVBytes: size - old.size, Bytes: size - old.size}
	if !old.stored {
		d.KVKeys = 1
	}
	if err := s.charge(t, d); err != nil {
		return nil, err
	}
	etag, err := valueETag(t.Tx(), m.Value)
	if err != nil {
		return nil, err
	}
	entry := KVEntry{Key: m.Key, Size: size, ETag: etag, UpdatedAt: easel.At(t.Now())}
	if m.TTL > 0 {
		entry.ExpiresAt = later(t, time.Duration(m.TTL)*time.Second)
		if err := sweepBy(t, entry.ExpiresAt); err != nil {
			return nil, err
		}
	}
	if err := saveValue(t.Tx(), entry, m.Value); err != nil {
		return nil, err
	}
	return KVStored{ETag: entry.ETag, Size: entry.Size, ExpiresAt: entry.ExpiresAt}, nil
}

// valueETag makes an etag that is never used twice in a tenant, so that a value
// that was changed and changed back is seen to be another one.
func valueETag(tx *sqlite.Tx, value []byte) (string, error) {
	rev, err := nextRev(tx)
	sum := sha256.Sum256(value)
	return strconv.FormatInt(rev, 36) + "-" + hex.EncodeToString(sum[:8]), err
}

// sweepBy sets the alarm that removes values, unless it rings early enough.
func sweepBy(t Turn, at easel.Time) error {
	next, err := nextExpiry(t.Tx())
	if err == nil && (next == 0 || at < next) {
		t.SetAlarm(alarmKV, at.Std())
	}
	return err
}

func (s *State) expireValues(t Turn) error {
	count, bytes, err := deleteExpired(t.Tx(), easel.At(t.Now()))
	if err != nil {
		return err
	}
	if err := addUsage(t.Tx(), Amounts{KVKeys: -count, KVBytes: -bytes, Bytes: -bytes}); err != nil {
		return err
	}
	next, err := nextExpiry(t.Tx())
	if err != nil || next == 0 {
		return err
	}
	earliest := later(t, sweepEvery)
	if count == clearAtOnce {
		earliest = easel.At(t.Now())
	}
	t.SetAlarm(alarmKV, max(next, earliest).Std())
	return nil
}

func (s *State) kvGet(t Turn, m KVGet) (actors.Message, error) {
	v := KVValue{Entry: KVEntry{Key: m.Key}}
	err := t.Tx().Row(`SELECT etag, size, expires_at, updated_at, value FROM kv WHERE key = ? AND (expires_at = 0 OR expires_at > ?)`,
		[]any{m.Key, easel.At(t.Now())}, &v.Entry.ETag, &v.Entry.Size, &v.Entry.ExpiresAt, &v.Entry.UpdatedAt, &v.Value)
	if errors.Is(err, sqlite.ErrNoRows) {
		return nil, easel.Errorf(easel.CodeNotFound, "no such key")
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (s *State) kvDelete(t Turn, m KVDelete) (actors.Message, error) {
	if err := checkName("key", m.Key); err != nil {
		return nil, err
	}
	if err := mayWrite(m.By, m.Key); err != nil {
		return nil, err
	}
	old, err := findValue(t.Tx(), m.Key, easel.At(t.Now()))
	if err != nil {
		return nil, err
	}
	if err := m.If.check(old.live()); err != nil {
		return nil, err
	}
	if old.live() == "" {
		return nil, easel.Errorf(easel.CodeNotFound, "no such key")
	}
	if _, err := t.Tx().Exec(`DELETE FROM kv WHERE key = ?`, m.Key); err != nil {
		return nil, err
	}
	return Empty{}, addUsage(t.Tx(), Amounts{KVKeys: -1, KVBytes: -old.size, Bytes: -old.size})
}

// valuesList names the list in its cursors.
const valuesList = "kv"

func (s *State) kvList(t Turn, m KVList) (actors.Message, error) {
	after, err := parseAfter(valuesList, m.Cursor)
	if err != nil {
		return nil, err
	}
	limit := pageLimit(m.Limit)
	rows, err := t.Tx().Query(`SELECT key, size, etag, expires_at, updated_at FROM kv
		WHERE key >= ? AND key > ? AND (expires_at = 0 OR expires_at > ?) ORDER BY key`, m.Prefix, after, easel.At(t.Now()))
	if err != nil {
		return nil, err
	}
	reply := KVListReply{Keys: []KVEntry{}}
	for rows.Next() {
		var e KVEntry
		if err := rows.Scan(&e.Key, &e.Size, &e.ETag, &e.ExpiresAt, &e.UpdatedAt); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		if !strings.HasPrefix(e.Key, m.Prefix) {
			break
		}
		if len(reply.Keys) == limit {
			reply.Next = encodeCursor(valuesList, reply.Keys[limit-1].Key)
			break
		}
		reply.Keys = append(reply.Keys, e)
	}
	return reply, rows.Close()
}

// storedValue is what rules need to know of a key's row.
type storedValue struct {
	etag    string
	size    int64
	stored  bool // there is a row
	expired bool
}

// live returns the etag, or "" if the key is absent.
func (v storedValue) live() string {
	if v.expired {
		return ""
	}
	return v.etag
}

func findValue(tx *sqlite.Tx, key string, now easel.Time) (storedValue, error) {
	var (
		v       storedValue
		expires easel.Time
	)
	err := tx.Row(`SELECT etag, size, expires_at FROM kv WHERE key = ?`, []any{key}, &v.etag, &v.size, &expires)
	if errors.Is(err, sqlite.ErrNoRows) {
		return storedValue{}, nil
	}
	v.stored, v.expired = true, expires > 0 && expires <= now
	return v, err
}

func saveValue(tx *sqlite.Tx, e KVEntry, value []byte) error {
	if value == nil {
		value = []byte{} // nil is NULL
	}
	_, err := tx.Exec(`INSERT INTO kv (key, etag, size, expires_at, updated_at, value) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET etag = excluded.etag, size = excluded.size, expires_at = excluded.expires_at,
		updated_at = excluded.updated_at, value = excluded.value`, e.Key, e.ETag, e.Size, e.ExpiresAt, e.UpdatedAt, value)
	return err
}

// nextExpiry returns when the next value expires; 0 if none does.
func nextExpiry(tx *sqlite.Tx) (easel.Time, error) {
	var at *easel.Time
	err := tx.Row(`SELECT MIN(expires_at) FROM kv WHERE expires_at > 0`, nil, &at)
	if err != nil || at == nil {
		return 0, err
	}
	return *at, nil
}

// deleteExpired removes up to clearAtOnce values that have expired.
func deleteExpired(tx *sqlite.Tx, now easel.Time) (count, bytes int64, err error) {
	rows, err := tx.Query(`SELECT key, size FROM kv WHERE expires_at > 0 AND expires_at <= ? ORDER BY expires_at LIMIT ?`, now, clearAtOnce)
	if err != nil {
		return 0, 0, err
	}
	var keys []string
	for rows.Next() {
		var (
			key  string
			size int64
		)
		if err := rows.Scan(&key, &size); err != nil {
			return 0, 0, errors.Join(err, rows.Close())
		}
		keys, bytes = append(keys, key), bytes+size
	}
	if err := rows.Close(); err != nil {
		return 0, 0, err
	}
	for _, key := range keys {
		if _, err := tx.Exec(`DELETE FROM kv WHERE key = ?`, key); err != nil {
			return 0, 0, err
		}
	}
	return int64(len(keys)), bytes, nil
}
