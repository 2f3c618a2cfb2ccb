package blob_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/easelhq/easel/blob"
)

func FuzzParseS3(f *testing.F) {
	f.Add("s3://bucket/a/b?endpoint=http://127.0.0.1:9000&region=eu-west-1")
	f.Add("s3://b?public=https://x")
	f.Fuzz(func(t *testing.T, text string) {
		o, err := blob.ParseS3(text)
		if err == nil && (o.Bucket == "" || o.Prefix != "" && blob.CheckKey(o.Prefix) != nil) {
			t.Errorf("%q gives %+v", text, o)
		}
	})
}

func FuzzCheckKey(f *testing.F) {
	for _, key := range []string{"a/b", "../a", "a//b", "+tmp/x", "a/.", strings.Repeat("a/", 600)} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if blob.CheckKey(key) == nil && (!fs.ValidPath(key) || key == "." || strings.ContainsAny(key, "+\\\x00 ")) {
			t.Errorf("took %q", key)
		}
	})
}
