package sqlite

import (
	"container/list"
	"fmt"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	lib "modernc.org/sqlite/lib"
)

// stmt is a prepared statement. Text and blob arguments are copied into its
// arena, C memory that stays put until the next execution.
type stmt struct {
	c      *conn
	p      uintptr // *sqlite3_stmt
	params int

	arena     uintptr
	arenaSize int
	busy      bool // rows are being read from it
	cached    bool
	query     string
	place     *list.Element
}

// keepArena is the most that an idle statement keeps of its arena, in bytes.
const keepArena = 16 << 10

func (c *conn) prepare(query string) (*stmt, error) {
	text, err := libc.CString(query)
	if err != nil {
		return nil, errNoMem
	}
	defer libc.Xfree(c.tls, text)
	rc := lib.Xsqlite3_prepare_v3(c.tls, c.db, text, int32(len(query)+1), lib.SQLITE_PREPARE_PERSISTENT, c.out(), c.out()+8)
	if err := c.check(rc); err != nil {
		return nil, err
	}
	p, tail := *(*uintptr)(at(c.out())), *(*uintptr)(at(c.out() + 8))
	s := &stmt{c: c, p: p, query: query}
	if p == 0 {
		return nil, &Error{Code: lib.SQLITE_MISUSE, Message: "no statement in SQL text"}
	}
	if rest := query[min(int(tail-text), len(query)):]; !blank(rest) {
		return nil, joinClose(&Error{Code: lib.SQLITE_MISUSE, Message: "more than one statement in SQL text"}, s.finalize())
	}
	s.params = int(lib.Xsqlite3_bind_parameter_count(c.tls, p))
	return s, nil
}

func blank(s string) bool {
	for i := range len(s) {
		switch s[i] {
		case ' ', '\t', '\n', '\r', ';':
		default:
			return false
		}
	}
	return true
}

func (s *stmt) finalize() error {
	// What it returns is the last execution's error, which was returned then.
	lib.Xsqlite3_finalize(s.c.tls, s.p)
	libc.Xfree(s.c.tls, s.arena)
	s.p, s.arena = 0, 0
	return nil
}

// reset makes the statement ready for its next execution.
func (s *stmt) reset() {
	// As with finalize, the code it returns is not news.
	lib.Xsqlite3_reset(s.c.tls, s.p)
	if s.arenaSize > keepArena {
		lib.Xsqlite3_clear_bindings(s.c.tls, s.p)
		libc.Xfree(s.c.tls, s.arena)
		s.arena, s.arenaSize = 0, 0
	}
}

func (s *stmt) step() (row bool, err error) {
	rc := lib.Xsqlite3_step(s.c.tls, s.p)
	return rc == lib.SQLITE_ROW, s.c.check(rc)
}

// bind sets all parameters.
func (s *stmt) bind(args []any) error {
	if len(args) != s.params {
		return fmt.Errorf("sqlite: %d arguments for %d parameters", len(args), s.params)
	}
	size := 0
	for _, a := range args {
		switch v := a.(type) {
		case string:
			size += len(v)
		case []byte:
			size += len(v)
		case int64, float64, int, bool, nil:
		default:
			n, err := plain(a)
			if err != nil {
				return err
			}
			switch v := n.(type) {
			case string:
				size += len(v)
			case []byte:
				size += len(v)
			}
		}
	}
	if err := s.grow(size); err != nil {
		return err
	}
	used := 0
	for i, a := range args {
		n, err := s.bindOne(int32(i+1), a, used)
		if err != nil {
			return fmt.Errorf("bind parameter %d: %w", i+1, err)
		}
		used += n
	}
	return nil
}

func (s *stmt) bindOne(i int32, a any, used int) (n int, err error) {
	tls, p := s.c.tls, s.p
	var rc int32
	switch v := a.(type) {
	case int64:
		rc = lib.Xsqlite3_bind_int64(tls, p, i, v)
	case int:
		rc = lib.Xsqlite3_bind_int64(tls, p, i, int64(v))
	case float64:
		rc = lib.Xsqlite3_bind_double(tls, p, i, v)
	case string:
		n = copy(bytesAt(s.arena+uintptr(used), len(v)), v)
		rc = lib.Xsqlite3_bind_text(tls, p, i, s.arena+uintptr(used), int32(n), lib.SQLITE_STATIC)
	case []byte:
		if v == nil {
			rc = lib.Xsqlite3_bind_null(tls, p, i)
			break
		}
		n = copy(bytesAt(s.arena+uintptr(used), len(v)), v)
		rc = lib.Xsqlite3_bind_blob(tls, p, i, s.arena+uintptr(used), int32(n), lib.SQLITE_STATIC)
	case bool:
		var b int64
		if v {
			b = 1
		}
		rc = lib.Xsqlite3_bind_int64(tls, p, i, b)
	case nil:
		rc = lib.Xsqlite3_bind_null(tls, p, i)
	default:
		b, err := plain(a)
		if err != nil {
			return 0, err
		}
		return s.bindOne(i, b, used)
	}
	return n, s.c.check(rc)
}

// grow makes room for size bytes; the arena is never nil, because SQLite takes
// a nil pointer for NULL, whatever its length.
func (s *stmt) grow(size int) error {
	if s.arena != 0 && size <= s.arenaSize {
		return nil
	}
	if size > 1<<30 {
		return &Error{Code: lib.SQLITE_TOOBIG, Message: "arguments too big"}
	}
	libc.Xfree(s.c.tls, s.arena)
	s.arenaSize = max(size, 64)
	if s.arena = libc.Xmalloc(s.c.tls, types.Size_t(s.arenaSize)); s.arena == 0 {
		s.arenaSize = 0
		return errNoMem
	}
	return nil
}

// cache holds the most recently used statements by their text.
type cache struct {
	byText map[string]*stmt
	recent list.List // of *stmt, most recent first
}

// maxCached bounds the idle statements of a handle: each costs 2 to 6 KB.
const maxCached = 96

func (k *cache) get(c *conn, query string) (*stmt, error) {
	if s, ok := k.byText[query]; ok {
		if !s.busy {
			k.recent.MoveToFront(s.place)
			return s, nil
		}
		return c.prepare(query) // rows are still being read: a second one, not cached
	}
	s, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	for e := k.recent.Back(); e != nil && k.recent.Len() >= maxCached; {
		old := e.Value.(*stmt)
		e = e.Prev()
		if !old.busy {
			k.drop(old)
		}
	}
	s.cached = true
	s.place = k.recent.PushFront(s)
	k.byText[query] = s
	return s, nil
}

// put gives a statement back after use.
func (k *cache) put(s *stmt) {
	s.busy = false
	if s.cached {
		s.reset()
		return
	}
	_ = s.finalize()
}

func (k *cache) drop(s *stmt) {
	delete(k.byText, s.query)
	k.recent.Remove(s.place)
	_ = s.finalize()
}

func (k *cache) clear() {
	for _, s := range k.byText {
		k.drop(s)
	}
}
