package sqlite

import (
	"fmt"
	"math"
	"reflect"

	lib "modernc.org/sqlite/lib"
)

// plain turns an argument of a named type, or a pointer to one, into one of the
// types that bindOne knows; a nil pointer is NULL.
func plain(a any) (any, error) {
	v := reflect.ValueOf(a)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil, nil
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if v.Uint() > math.MaxInt64 {
			return nil, fmt.Errorf("sqlite: %d is too big for an integer column", v.Uint())
		}
		return int64(v.Uint()), nil
	case reflect.Float32, reflect.Float64:
		return v.Float(), nil
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.String:
		return v.String(), nil
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return v.Bytes(), nil
		}
	}
	return nil, fmt.Errorf("sqlite: argument of type %T", a)
}

// column copies column i of the current row into dest.
func (s *stmt) column(i int32, dest any) error {
	kind := lib.Xsqlite3_column_type(s.c.tls, s.p, i)
	switch d := dest.(type) {
	case *int64:
		return s.integer(i, kind, d)
	case *int:
		var n int64
		err := s.integer(i, kind, &n)
		*d = int(n)
		return err
	case *float64:
		if kind != lib.SQLITE_FLOAT && kind != lib.SQLITE_INTEGER {
			return mismatch(i, kind, dest)
		}
		*d = lib.Xsqlite3_column_double(s.c.tls, s.p, i)
		return nil
	case *bool:
		var n int64
		err := s.integer(i, kind, &n)
		*d = n != 0
		return err
	case *string:
		if kind != lib.SQLITE_TEXT && kind != lib.SQLITE_BLOB {
			return mismatch(i, kind, dest)
		}
		*d = string(s.bytes(i))
		return nil
	case *[]byte:
		return s.blob(i, kind, d)
	}
	return s.columnOther(i, kind, dest)
}

func (s *stmt) integer(i, kind int32, d *int64) error {
	if kind != lib.SQLITE_INTEGER {
		return mismatch(i, kind, d)
	}
	*d = lib.Xsqlite3_column_int64(s.c.tls, s.p, i)
	return nil
}

// blob gives nil for NULL, and an empty slice for an empty blob or text.
func (s *stmt) blob(i, kind int32, d *[]byte) error {
	switch kind {
	case lib.SQLITE_NULL:
		*d = nil
	case lib.SQLITE_BLOB, lib.SQLITE_TEXT:
		*d = append(make([]byte, 0, lib.Xsqlite3_column_bytes(s.c.tls, s.p, i)), s.bytes(i)...)
	default:
		return mismatch(i, kind, d)
	}
	return nil
}

// bytes views a text or blob column until the next step.
func (s *stmt) bytes(i int32) []byte {
	p := lib.Xsqlite3_column_blob(s.c.tls, s.p, i)
	n := int(lib.Xsqlite3_column_bytes(s.c.tls, s.p, i))
	if p == 0 || n == 0 {
		return nil
	}
	return bytesAt(p, n)
}

// columnOther scans named types, and pointers to pointers for what may be NULL.
func (s *stmt) columnOther(i, kind int32, dest any) error {
	v := reflect.ValueOf(dest)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("sqlite: scan into %T", dest)
	}
	v = v.Elem()
	switch v.Kind() {
	case reflect.Pointer:
		if kind == lib.SQLITE_NULL {
			v.SetZero()
			return nil
		}
		fresh := reflect.New(v.Type().Elem())
		if err := s.column(i, fresh.Interface()); err != nil {
			return err
		}
		v.Set(fresh)
		return nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		var n int64
		if err := s.integer(i, kind, &n); err != nil {
			return err
		}
		if v.OverflowInt(n) {
			return fmt.Errorf("sqlite: column %d: %d overflows %s", i, n, v.Type())
		}
		v.SetInt(n)
		return nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		var n int64
		if err := s.integer(i, kind, &n); err != nil {
			return err
		}
		if n < 0 || v.OverflowUint(uint64(n)) {
			return fmt.Errorf("sqlite: column %d: %d overflows %s", i, n, v.Type())
		}
		v.SetUint(uint64(n))
		return nil
	case reflect.Float32, reflect.Float64:
		var f float64
		err := s.column(i, &f)
		v.SetFloat(f)
		return err
	case reflect.Bool:
		var b bool
		err := s.column(i, &b)
		v.SetBool(b)
		return err
	case reflect.String:
		var t string
		err := s.column(i, &t)
		v.SetString(t)
		return err
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			var b []byte
			err := s.blob(i, kind, &b)
			v.SetBytes(b)
			return err
		}
	}
	return fmt.Errorf("sqlite: scan into %T", dest)
}

func mismatch(i, kind int32, dest any) error {
	names := map[int32]string{
		lib.SQLITE_INTEGER: "integer", lib.SQLITE_FLOAT: "real", lib.SQLITE_TEXT: "text",
		lib.SQLITE_BLOB: "blob", lib.SQLITE_NULL: "NULL",
	}
	return fmt.Errorf("sqlite: column %d is %s, wanted %T", i, names[kind], dest)
}
