package sqlite_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel/sqlite"
	"github.com/easelhq/easel/sqlite/sqlitetest"
)

type (
	id    string
	stamp int64
	ratio float64
	flag  bool
	raw   []byte
)

func begin(t testing.TB, d *sqlite.DB) *sqlite.Tx {
	t.Helper()
	tx, err := d.Begin()
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

func TestArgumentsComeBackAsTheyWere(t *testing.T) {
	d := sqlitetest.Open(t, schema(t))
	tx := begin(t, d)
	s, n, f := "text", int64(-7), 0.25
	for _, tt := range []struct {
		name      string
		arg       any
		kind      string
		got, want any
	}{
		{"int64", int64(math.MinInt64), "integer", new(int64), int64(math.MinInt64)},
		{"int", 5, "integer", new(int), 5},
		{"int32", int32(-5), "integer", new(int32), int32(-5)},
		{"uint32", uint32(math.MaxUint32), "integer", new(uint32), uint32(math.MaxUint32)},
		{"float64", math.Nextafter(1, 2), "real", new(float64), math.Nextafter(1, 2)},
		{"whole float", 3.0, "real", new(float64), 3.0},
		{"string", "añ\x00b", "text", new(string), "añ\x00b"},
		{"empty string", "", "text", new(string), ""},
		{"blob", []byte{0, 1, 255}, "blob", new([]byte), []byte{0, 1, 255}},
		{"empty blob", []byte{}, "blob", new([]byte), []byte{}},
		{"nil blob", []byte(nil), "null", new([]byte), []byte(nil)},
		{"true", true, "integer", new(bool), true},
		{"false", false, "integer", new(bool), false},
		{"nil", nil, "null", new(*string), (*string)(nil)},
		{"named string", id("x"), "text", new(id), id("x")},
		{"named int", stamp(9), "integer", new(stamp), stamp(9)},
		{"named float", ratio(9.5), "real", new(ratio), ratio(9.5)},
		{"named bool", flag(true), "integer", new(flag), flag(true)},
		{"named bytes", raw("{}"), "blob", new(raw), raw("{}")},
		{"nil named bytes", raw(nil), "null", new(raw), raw(nil)},
		{"pointer to string", &s, "text", new(*string), &s},
		{"pointer to int", &n, "integer", new(*int64), &n},
		{"pointer to float", &f, "real", new(*float64), &f},
		{"nil pointer", (*float64)(nil), "null", new(*float64), (*float64)(nil)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var kind string
			if err := tx.Row("SELECT typeof(?1), ?1", []any{tt.arg}, &kind, tt.got); err != nil {
				t.Fatal(err)
			}
			want := reflectPointer(tt.want)
			if diff := cmp.Diff(want, tt.got); diff != "" || kind != tt.kind {
				t.Errorf("kind %q, want %q; %s", kind, tt.kind, diff)
			}
		})
	}
	if err := d.Rollback(); err != nil {
		t.Fatal(err)
	}
}

func TestScanAndBindRefuseWhatDoesNotFit(t *testing.T) {
	d := sqlitetest.Open(t, schema(t))
	tx := begin(t, d)
	for _, tt := range []struct {
		name  string
		query string
		args  []any
		dest  []any
	}{
		{"NULL into string", "SELECT NULL", nil, []any{new(string)}},
		{"NULL into int64", "SELECT NULL", nil, []any{new(int64)}},
		{"text into int64", "SELECT 'x'", nil, []any{new(int64)}},
		{"real into int64", "SELECT 1.5", nil, []any{new(int64)}},
		{"integer into string", "SELECT 1", nil, []any{new(string)}},
		{"overflow", "SELECT 300", nil, []any{new(int8)}},
		{"negative into uint", "SELECT -1", nil, []any{new(uint64)}},
		{"too few destinations", "SELECT 1, 2", nil, []any{new(int)}},
		{"no pointer", "SELECT 1", nil, []any{5}},
		{"too few arguments", "SELECT ?, ?", []any{1}, []any{new(int), new(int)}},
		{"too many arguments", "SELECT ?", []any{1, 2}, []any{new(int)}},
		{"odd argument", "SELECT ?", []any{struct{}{}}, []any{new(int)}},
		{"big argument", "SELECT ?", []any{uint64(math.MaxUint64)}, []any{new(int)}},
		{"two statements", "SELECT 1; SELECT 2", nil, []any{new(int)}},
		{"no statement", " ", nil, nil},
		{"bad statement", "SELEC 1", nil, []any{new(int)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tx.Row(tt.query, tt.args, tt.dest...); err == nil {
				t.Error("no error")
			}
		})
	}
	if err := d.Rollback(); err != nil {
		t.Fatal(err)
	}
}

func TestRowWithoutRows(t *testing.T) {
	d := sqlitetest.Open(t, schema(t))
	tx := begin(t, d)
	if err := tx.Row("SELECT n FROM note", nil, new(int)); !errors.Is(err, sqlite.ErrNoRows) {
		t.Errorf("got %v", err)
	}
}

func TestExecCountsRows(t *testing.T) {
	d := sqlitetest.Open(t, schema(t))
	tx := begin(t, d)
	for _, tt := range []struct {
		query string
		want  int64
	}{
		{"INSERT INTO note (id, n) VALUES ('a', 1), ('b', 2), ('c', 3)", 3},
		{"UPDATE note SET n = n + 1 WHERE n > 1", 2},
		{"UPDATE note SET n = 0 WHERE n > 100", 0},
		{"CREATE TABLE other (x INT)", 0},
		{"DELETE FROM note WHERE id = 'a' RETURNING n", 1},
		{"DELETE FROM note", 2},
	} {
		got, err := tx.Exec(tt.query)
		if err != nil || got != tt.want {
			t.Errorf("%s: %d, %v; want %d", tt.query, got, err, tt.want)
		}
	}
}

func TestRowsMayBeReadTwiceAtOnceAndLeftOpen(t *testing.T) {
	d := sqlitetest.Open(t, schema(t))
	exec(t, d, "INSERT INTO note (id, n) VALUES ('a', 1), ('b', 2)")
	tx := begin(t, d)
	const query = "SELECT id FROM note ORDER BY n"
	outer, err := tx.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for outer.Next() {
		var a string
		if err = outer.Scan(&a); err != nil {
			t.Fatal(err)
		}
		inner, e := tx.Query(query)
		if e != nil {
			t.Fatal(e)
		}
		for inner.Next() {
			var b string
			if err = inner.Scan(&b); err != nil {
				t.Fatal(err)
			}
			got = append(got, a+b)
		}
		if err = inner.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err = outer.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"aa", "ab", "ba", "bb"}, got); diff != "" {
		t.Error(diff)
	}
	left, err := tx.Query(query)
	if err != nil || !left.Next() {
		t.Fatal(err)
	}
	if err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	if left.Next() || left.Scan(new(string)) == nil {
		t.Error("rows outlived their transaction")
	}
	capture(t, d)
}

func TestSavepointsNest(t *testing.T) {
	d := sqlitetest.Open(t, schema(t))
	tx := begin(t, d)
	steps := []func() error{
		func() error { return put(tx, "a") },
		tx.Savepoint,
		func() error { return put(tx, "b") },
		tx.Savepoint,
		func() error { return put(tx, "c") },
		tx.RollbackTo, // c is gone
		func() error { return put(tx, "d") },
		tx.Savepoint,
		func() error { return put(tx, "e") },
		tx.Release, // e stays, within b's savepoint
		tx.Release,
		tx.Savepoint,
		func() error { return put(tx, "f") },
		tx.RollbackTo,
	}
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	if tx.RollbackTo() == nil || tx.Release() == nil {
		t.Error("ended a savepoint that is not there")
	}
	if err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b", "d", "e"}, ids(t, d)); diff != "" {
		t.Error(diff)
	}
}

func TestConstraintLeavesTheTransactionOpen(t *testing.T) {
	d := sqlitetest.Open(t, schema(t))
	tx := begin(t, d)
	if err := put(tx, "a"); err != nil {
		t.Fatal(err)
	}
	if err := put(tx, "a"); !sqlite.IsConstraint(err) || sqlite.IsFull(err) {
		t.Errorf("got %v", err)
	}
	if err := put(tx, "b"); err != nil {
		t.Fatal(err)
	}
	if err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, ids(t, d)); diff != "" {
		t.Error(diff)
	}
}

func TestFullFileRollsBackAndNothingRunsOutsideTheTransaction(t *testing.T) {
	d := sqlitetest.Open(t, schema(t))
	exec(t, d, "INSERT INTO note (id) VALUES ('before')")
	tx := begin(t, d)
	if err := tx.Row("PRAGMA max_page_count=40", nil, new(int)); err != nil {
		t.Fatal(err)
	}
	if err := put(tx, "a"); err != nil {
		t.Fatal(err)
	}
	_, err := tx.Exec("INSERT INTO note (id, body) VALUES ('big', ?)", make([]byte, 1<<20))
	if !sqlite.IsFull(err) {
		t.Fatalf("got %v", err)
	}
	rolledBack := errors.Is(err, sqlite.ErrTxDone)
	if rolledBack {
		if err := put(tx, "b"); !errors.Is(err, sqlite.ErrTxDone) {
			t.Errorf("a statement after the rollback: %v", err)
		}
		if err := d.Commit(); !errors.Is(err, sqlite.ErrTxDone) {
			t.Errorf("commit: %v", err)
		}
	} else if err := d.Rollback(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"before"}, ids(t, d)); diff != "" {
		t.Error(diff)
	}
}

func TestTransactionEndsOnce(t *testing.T) {
	d := sqlitetest.Open(t, schema(t))
	if err := d.Rollback(); err != nil {
		t.Errorf("rollback of nothing: %v", err)
	}
	if err := d.Commit(); !errors.Is(err, sqlite.ErrTxDone) {
		t.Errorf("commit of nothing: %v", err)
	}
	tx := begin(t, d)
	if _, err := d.Begin(); err == nil {
		t.Error("a second transaction")
	}
	if _, err := d.Capture(); err == nil {
		t.Error("captured within a transaction")
	}
	if err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := put(tx, "late"); !errors.Is(err, sqlite.ErrTxDone) {
		t.Errorf("late statement: %v", err)
	}
}

func put(tx *sqlite.Tx, key string) error {
	_, err := tx.Exec("INSERT INTO note (id) VALUES (?)", key)
	return err
}

func ids(t testing.TB, d *sqlite.DB) (all []string) {
	t.Helper()
	tx := begin(t, d)
	rows, err := tx.Query("SELECT id FROM note ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	return all
}

// reflectPointer returns a pointer to a copy of v, to compare with what was
// scanned into.
func reflectPointer(v any) any {
	p := reflect.New(reflect.TypeOf(v))
	p.Elem().Set(reflect.ValueOf(v))
	return p.Interface()
}

func TestManyStatementsAndChangingTables(t *testing.T) {
	d := sqlitetest.Open(t, schema(t))
	tx := begin(t, d)
	rows, err := tx.Query("SELECT 0")
	if err != nil || !rows.Next() {
		t.Fatal(err)
	}
	for round := range 2 {
		for i := range 300 { // more than are cached
			var got int
			if err := tx.Row(fmt.Sprintf("SELECT %d + ?", i), []any{round}, &got); err != nil || got != i+round {
				t.Fatal(got, err)
			}
		}
	}
	var zero int
	if err := rows.Scan(&zero); err != nil || zero != 0 {
		t.Errorf("rows in use were dropped: %d, %v", zero, err)
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	if err := put(tx, "a"); err != nil {
		t.Fatal(err)
	}
	for cols := 4; cols < 7; cols++ { // one text, other columns
		dest := make([]any, cols)
		for i := range dest {
			dest[i] = new(*string)
		}
		if err := tx.Row("SELECT * FROM note", nil, dest...); err != nil {
			t.Error(err)
		}
		if _, err := tx.Exec(fmt.Sprintf("ALTER TABLE note ADD COLUMN c%d TEXT", cols)); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("SELECT 1"); !errors.Is(err, sqlite.ErrTxDone) {
		t.Errorf("after the end: %v", err)
	}
}

func TestBigArguments(t *testing.T) {
	d := sqlitetest.Open(t, schema(t))
	tx := begin(t, d)
	for _, n := range []int{0, 1, 63, 64, 65, 16 << 10, 16<<10 + 1, 1 << 20, 10} {
		want := randomBytes(uint64(n), n)
		var got, again []byte
		if err := tx.Row("SELECT ?1, ?1", []any{want}, &got, &again); err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) || string(again) != string(want) {
			t.Errorf("%d bytes came back as %d and %d", n, len(got), len(again))
		}
	}
	if err := d.Rollback(); err != nil {
		t.Fatal(err)
	}
}
