// Package blobtest is the contract that every blob.Store fulfils.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel/blob"
)

// Run tests a store. open returns an empty one; it is called once per test.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	run(t, open, append(tests(),
		contract{"ObjectAndFolderOfOneName", testNested},
		contract{"ListInOrderByPages", func(t *testing.T, s blob.Store) { testList(t, s, listed) }},
	))
}

// RunOnFolders is Run for a store that keeps objects as files in folders, so that
// it cannot have both "a" and "a/b": some S3 servers do. Easel needs no more.
func RunOnFolders(t *testing.T, open func(t *testing.T) blob.Store) {
	apart := slices.DeleteFunc(slices.Clone(listed), func(key string) bool {
		return slices.ContainsFunc(listed, func(other string) bool { return strings.HasPrefix(other, key+"/") })
	})
	run(t, open, append(tests(),
		contract{"ListInOrderByPages", func(t *testing.T, s blob.Store) { testList(t, s, apart) }},
	))
}

// contract is one test of a store.
type contract struct {
	name string
	test func(*testing.T, blob.Store)
}

func run(t *testing.T, open func(t *testing.T) blob.Store, tests []contract) {
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

func tests() []contract {
	return []contract{
		{"WhatIsMissing", testMissing},
		{"PutReplacesWhole", testPut},
		{"PutOfManyBytes", testPutBig},
		{"PutWithFailingReaderChangesNothing", testPutFailing},
		{"PutIfAbsent", testPutIfAbsent},
		{"PutIfMatch", testPutIfMatch},
		{"VersionsAgree", testVersionsAgree},
		{"Ranges", testRanges},
		{"Keys", testKeys},
		{"ListOfOddPrefixes", testListPrefix},
		{"DeleteTwiceAndPutAgain", testDelete},
		{"CancelledContext", testCancelled},
		{"OneOfManyWins", testRace},
		{"CompareAndSetCounts", testCounter},
		{"PutAndDeleteInOneFolder", testFolderRace},
	}
}

func testMissing(t *testing.T, s blob.Store) {
	ctx := t.Context()
	if _, _, err := s.Get(ctx, "a/b", blob.All); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Get: %v", err)
	}
	if _, err := s.Stat(ctx, "a/b"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Stat: %v", err)
	}
	if _, err := s.PutIfMatch(ctx, "a/b", nil, "5-5"); !errors.Is(err, blob.ErrExists) {
		t.Errorf("PutIfMatch: %v", err)
	}
	if err := s.Delete(ctx, "a/b"); err != nil {
		t.Errorf("Delete: %v", err)
	}
	if got, err := s.List(ctx, "", "", 10); err != nil || len(got) != 0 {
		t.Errorf("List: %v, %v", got, err)
	}
}

func testPut(t *testing.T, s blob.Store) {
	for _, body := range []string{"a long first body", "short", ""} {
		info := put(t, s, "k", body)
		if info.Key != "k" || info.Size != int64(len(body)) || info.Version == "" || info.Modified.IsZero() {
			t.Errorf("Put says %+v", info)
		}
		if got := get(t, s, "k"); got != body {
			t.Errorf("got %q, want %q", got, body)
		}
	}
}

func testPutBig(t *testing.T, s blob.Store) {
	const size = 12<<20 + 7
	info, err := s.Put(t.Context(), "big", io.LimitReader(&pattern{}, size))
	if err != nil || info.Size != size {
		t.Fatalf("%+v, %v", info, err)
	}
	r, _, err := s.Get(t.Context(), "big", blob.All)
	if err != nil {
		t.Fatal(err)
	}
	want := io.LimitReader(&pattern{}, size)
	var n int64
	a, b := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		got, err := io.ReadFull(r, a)
		if _, e := io.ReadFull(want, b[:got]); e != nil && got > 0 {
			t.Fatalf("more than was put: %v", e)
		}
		if !bytes.Equal(a[:got], b[:got]) {
			t.Fatalf("other bytes after %d", n)
		}
		if n += int64(got); err != nil {
			break
		}
	}
	if err := r.Close(); err != nil || n != size {
		t.Errorf("read %d bytes, %v", n, err)
	}
}

func testPutFailing(t *testing.T, s blob.Store) {
	ctx := t.Context()
	put(t, s, "k", "first")
	boom := errors.New("boom")
	for _, size := range []int64{0, 100, 6 << 20} {
		body := io.MultiReader(io.LimitReader(&pattern{}, size), iotest.ErrReader(boom))
		if _, err := s.Put(ctx, "k", body); !errors.Is(err, boom) {
			t.Errorf("after %d bytes: %v", size, err)
		}
		body = io.MultiReader(io.LimitReader(&pattern{}, size), iotest.ErrReader(boom))
		if _, err := s.Put(ctx, "new", body); !errors.Is(err, boom) {
			t.Errorf("after %d bytes: %v", size, err)
		}
	}
	if got := get(t, s, "k"); got != "first" {
		t.Errorf("object is now %d bytes", len(got))
	}
	if diff := cmp.Diff([]string{"k"}, keys(t, s, "", "", 10)); diff != "" {
		t.Error(diff)
	}
}

func testPutIfAbsent(t *testing.T, s blob.Store) {
	ctx := t.Context()
	v, err := s.PutIfAbsent(ctx, "x/y", []byte("one"))
	if err != nil || v == "" {
		t.Fatal(v, err)
	}
	if _, err := s.PutIfAbsent(ctx, "x/y", []byte("two")); !errors.Is(err, blob.ErrExists) {
		t.Errorf("second: %v", err)
	}
	if got := get(t, s, "x/y"); got != "one" {
		t.Errorf("got %q", got)
	}
	if _, err := s.PutIfAbsent(ctx, "empty", nil); err != nil {
		t.Fatal(err)
	}
	if got := get(t, s, "empty"); got != "" {
		t.Errorf("got %q", got)
	}
}

func testPutIfMatch(t *testing.T, s blob.Store) {
	ctx := t.Context()
	v1, err := s.PutIfAbsent(ctx, "k", []byte("1"))
	if err != nil {
		t.Fatal(err)
	}
	v2, err := s.PutIfMatch(ctx, "k", []byte("2"), v1)
	if err != nil || v2 == v1 {
		t.Fatal(v1, v2, err)
	}
	for _, v := range []blob.Version{v1, "", "nonsense"} {
		if _, err := s.PutIfMatch(ctx, "k", []byte("3"), v); !errors.Is(err, blob.ErrExists) {
			t.Errorf("with version %q: %v", v, err)
		}
	}
	if got := get(t, s, "k"); got != "2" {
		t.Errorf("got %q", got)
	}
	if err := s.Delete(ctx, "k"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutIfMatch(ctx, "k", []byte("4"), v2); !errors.Is(err, blob.ErrExists) {
		t.Errorf("after Delete: %v", err)
	}
}

func testVersionsAgree(t *testing.T, s blob.Store) {
	ctx := t.Context()
	check := func(how string, v blob.Version) {
		t.Helper()
		r, got, err := s.Get(ctx, "a/k", blob.Range{Offset: 1, Length: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		stat, err := s.Stat(ctx, "a/k")
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.List(ctx, "a/", "", 10)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		if got.Version != v || stat.Version != v || list[0].Version != v {
			t.Errorf("%s: wrote %q, Get %q, Stat %q, List %q", how, v, got.Version, stat.Version, list[0].Version)
		}
		if got.Key != "a/k" || got.Size != 3 || stat.Key != "a/k" || stat.Size != 3 || list[0].Key != "a/k" || list[0].Size != 3 {
			t.Errorf("%s: Get %+v, Stat %+v, List %+v", how, got, stat, list[0])
		}
	}
	v, err := s.PutIfAbsent(ctx, "a/k", []byte("abc"))
	if err != nil {
		t.Fatal(err)
	}
	check("PutIfAbsent", v)
	v, err = s.PutIfMatch(ctx, "a/k", []byte("def"), v)
	if err != nil {
		t.Fatal(err)
	}
	check("PutIfMatch", v)
	check("Put", put(t, s, "a/k", "ghi").Version)
}

func testRanges(t *testing.T, s blob.Store) {
	put(t, s, "k", "0123456789")
	put(t, s, "empty", "")
	for _, tt := range []struct {
		key  string
		r    blob.Range
		want string
		err  error
	}{
		{"k", blob.All, "0123456789", nil},
		{"k", blob.Range{}, "", nil},
		{"k", blob.Range{Offset: 3, Length: 4}, "3456", nil},
		{"k", blob.Range{Offset: 3, Length: -1}, "3456789", nil},
		{"k", blob.Range{Offset: 9, Length: 1}, "9", nil},
		{"k", blob.Range{Offset: 8, Length: 100}, "89", nil},
		{"k", blob.Range{Offset: 5}, "", nil},
		{"k", blob.Range{Offset: 10, Length: -1}, "", blob.ErrRange},
		{"k", blob.Range{Offset: 11, Length: 1}, "", blob.ErrRange},
		{"k", blob.Range{Offset: -1, Length: 1}, "", blob.ErrRange},
		{"empty", blob.All, "", nil},
		{"empty", blob.Range{Offset: 1, Length: 1}, "", blob.ErrRange},
		{"none", blob.Range{Offset: 1, Length: 1}, "", blob.ErrNotFound},
	} {
		t.Run(fmt.Sprintf("%s/%d,%d", tt.key, tt.r.Offset, tt.r.Length), func(t *testing.T) {
			r, info, err := s.Get(t.Context(), tt.key, tt.r)
			if tt.err != nil {
				if !errors.Is(err, tt.err) {
					t.Errorf("got %v, want %v", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			if _, err := io.Copy(&got, r); err != nil {
				t.Error(err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if got.String() != tt.want {
				t.Errorf("got %q, want %q", got.String(), tt.want)
			}
			if whole := map[string]int64{"k": 10}[tt.key]; info.Size != whole {
				t.Errorf("size %d, want that of the whole object", info.Size)
			}
		})
	}
}

func testKeys(t *testing.T, s blob.Store) {
	ctx := t.Context()
	for _, key := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "../a", "a/.", "a b", "a\x00", "ä", "a+b", "a+/b", "+tmp",
		"a\\b", "~", "a%2Fb", strings.Repeat("x", 129), strings.Repeat("xx/", 400) + "x",
	} {
		if _, err := s.Put(ctx, key, strings.NewReader("x")); err == nil {
			t.Errorf("Put took key %q", key)
		}
		if _, err := s.PutIfAbsent(ctx, key, nil); err == nil {
			t.Errorf("PutIfAbsent took key %q", key)
		}
		if _, err := s.PutIfMatch(ctx, key, nil, "v"); err == nil || errors.Is(err, blob.ErrExists) {
			t.Errorf("PutIfMatch took key %q", key)
		}
		if _, _, err := s.Get(ctx, key, blob.All); err == nil || errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Get took key %q: %v", key, err)
		}
		if _, err := s.Stat(ctx, key); err == nil || errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Stat took key %q: %v", key, err)
		}
		if err := s.Delete(ctx, key); err == nil {
			t.Errorf("Delete took key %q", key)
		}
	}
	good := []string{"-", "=", "_", "...", ".a", "A/a.b-c_d=e/0", strings.Repeat("x", 128)}
	for _, key := range good {
		put(t, s, key, key)
	}
	for _, key := range good {
		if got := get(t, s, key); got != key {
			t.Errorf("%q holds %q", key, got)
		}
	}
}

func testNested(t *testing.T, s blob.Store) {
	all := []string{"a", "a/b", "a/b/c", "a/b/c/d"}
	for _, i := range []int{2, 0, 3, 1} {
		put(t, s, all[i], all[i])
	}
	for i, key := range all {
		if got := get(t, s, key); got != key {
			t.Errorf("%q holds %q", key, got)
		}
		if diff := cmp.Diff(all[i:], keys(t, s, key, "", 10)); diff != "" {
			t.Error(diff)
		}
	}
	if err := s.Delete(t.Context(), "a/b"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "a/b/c", "a/b/c/d"}, keys(t, s, "", "", 10)); diff != "" {
		t.Error(diff)
	}
}

// listed are keys whose order is not that of folders: "-" and "." sort before "/".
var listed = []string{
	"a", "a-", "a-/x", "a.b", "a/0", "a/1", "a/b/c", "a/b/d", "a/b-", "a0", "a=", "aa", "b/b/b/b", "b/b/c", "c",
}

func testList(t *testing.T, s blob.Store, all []string) {
	all = sorted(all)
	for i := range all {
		key := all[(i*7+3)%len(all)]
		put(t, s, key, "x")
	}
	for _, prefix := range []string{"", "a", "a/", "a/b", "a/b/", "a-", "b/", "b/b/b/b", "b/b/b/b/", "zz", "A"} {
		var want []string
		for _, k := range all {
			if strings.HasPrefix(k, prefix) {
				want = append(want, k)
			}
		}
		for _, page := range []int{1, 2, 3, 100} {
			var got []string
			for after := ""; ; {
				part := keys(t, s, prefix, after, page)
				got = append(got, part...)
				if len(part) < page {
					break
				}
				after = part[len(part)-1]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("prefix %q by %d: %s", prefix, page, diff)
			}
		}
		for _, after := range []string{"a/", "a/b", "a/b/c0", "a-z", "0", "zz", "b/b/b/b/b"} {
			var want []string
			for _, k := range all {
				if strings.HasPrefix(k, prefix) && k > after {
					want = append(want, k)
				}
			}
			if diff := cmp.Diff(want, keys(t, s, prefix, after, 100)); diff != "" {
				t.Errorf("prefix %q after %q: %s", prefix, after, diff)
			}
		}
	}
}

func testListPrefix(t *testing.T, s blob.Store) {
	put(t, s, "a/b", "x")
	for _, prefix := range []string{"/", "../", "a//", "a/../a/", "./", "a+/", "+tmp/", "a/b/c/d/e/"} {
		if got := keys(t, s, prefix, "", 10); len(got) != 0 {
			t.Errorf("prefix %q: %v", prefix, got)
		}
	}
	if got := keys(t, s, "", "", 0); len(got) != 0 {
		t.Errorf("none were asked for, got %v", got)
	}
}

func testDelete(t *testing.T, s blob.Store) {
	ctx := t.Context()
	for range 3 {
		put(t, s, "a/b/c", "x")
		for range 2 {
			if err := s.Delete(ctx, "a/b/c"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Stat(ctx, "a/b/c"); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	}
	if got := keys(t, s, "", "", 10); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

func testCancelled(t *testing.T, s blob.Store) {
	put(t, s, "k", "first")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Put(ctx, "k", strings.NewReader("second")); !errors.Is(err, context.Canceled) {
		t.Errorf("Put: %v", err)
	}
	if _, err := s.PutIfAbsent(ctx, "new", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("PutIfAbsent: %v", err)
	}
	if _, _, err := s.Get(ctx, "k", blob.All); !errors.Is(err, context.Canceled) {
		t.Errorf("Get: %v", err)
	}
	if _, err := s.List(ctx, "", "", 10); !errors.Is(err, context.Canceled) {
		t.Errorf("List: %v", err)
	}
	if got := get(t, s, "k"); got != "first" {
		t.Errorf("got %q", got)
	}
}

func testRace(t *testing.T, s blob.Store) {
	for round := range 10 {
		key := fmt.Sprintf("r/%d", round)
		var wg sync.WaitGroup
		var mu sync.Mutex
		var winners []string
		for w := range 8 {
			wg.Go(func() {
				body := fmt.Sprint(w)
				_, err := s.PutIfAbsent(t.Context(), key, []byte(body))
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					winners = append(winners, body)
				} else if !errors.Is(err, blob.ErrExists) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(winners) != 1 || get(t, s, key) != winners[0] {
			t.Errorf("winners %v, object %q", winners, get(t, s, key))
		}
	}
}

func testCounter(t *testing.T, s blob.Store) {
	ctx := t.Context()
	if _, err := s.PutIfAbsent(ctx, "n", []byte{0}); err != nil {
		t.Fatal(err)
	}
	const workers, each = 4, 10
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for done := 0; done < each; {
				r, info, err := s.Get(ctx, "n", blob.All)
				if err != nil {
					t.Error(err)
					return
				}
				b, err := io.ReadAll(r)
				if e := r.Close(); err != nil || e != nil || len(b) != 1 {
					t.Error(b, err, e)
					return
				}
				switch _, err = s.PutIfMatch(ctx, "n", []byte{b[0] + 1}, info.Version); {
				case err == nil:
					done++
				case !errors.Is(err, blob.ErrExists):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if got := get(t, s, "n"); got != string([]byte{workers * each}) {
		t.Errorf("counted %v", []byte(got))
	}
}

func testFolderRace(t *testing.T, s blob.Store) {
	ctx := t.Context()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			key := fmt.Sprintf("f/g/%d", w)
			for range 25 {
				if _, err := s.Put(ctx, key, strings.NewReader("x")); err != nil {
					t.Error(err)
				}
				if _, err := s.Stat(ctx, key); err != nil {
					t.Error(err)
				}
				if err := s.Delete(ctx, key); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := keys(t, s, "", "", 10); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}
