package archive_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/easelhq/easel/archive"
	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal"
	"github.com/easelhq/easel/tenant"
)

func TestVerifyComparesBlocks(t *testing.T) {
	content := bytes.Repeat([]byte("content "), 20_000)
	sum := sha256.Sum256(content)
	var blocks blob.Summing
	if _, err := blocks.Write(content); err != nil {
		t.Fatal(err)
	}
	good := blocks.Sums().Encode()
	bad := bytes.Clone(good)
	bad[5] ^= 1
	seal := blob.Seal(content)
	torn := bytes.Clone(seal)
	torn[100_000] ^= 1

	for _, tc := range []struct {
		name  string
		sums  []byte
		thumb []byte
		want  []string
		wrong int
	}{
		{"nothing is wrong", good, seal, nil, 0},
		{"stored without sums", nil, seal, nil, 0},
		{"sums of something else", bad, seal, []string{"sums_damaged"}, 1},
		{"thumbnail with a flipped bit", good, torn, []string{"thumbnail_damaged"}, 0},
		{"thumbnail cut off", good, seal[:len(seal)-1], []string{"thumbnail_damaged"}, 0},
		{"thumbnail without a seal", good, content, []string{"thumbnail_damaged"}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPlace(t)
			key, image := "t/"+string(moved)+"/f/1", strings.Repeat("1", 32)
			thumb := "t/" + string(moved) + "/i/" + image + "/thumb-64-sealed"
			for key, b := range map[string][]byte{key: content, thumb: tc.thumb, "t/" + string(moved) + "/i/" + image + "/original": content} {
				if _, err := p.blobs.Put(t.Context(), key, bytes.NewReader(b)); err != nil {
					t.Fatal(err)
				}
			}
			p.actor(t, "tenant/"+journal.Name(moved), tenant.FileSchema, fmt.Sprintf(
				`INSERT INTO file (name, blob, etag, size, content_type, meta, updated_by, updated_at, sums)
				VALUES ('a', '%s', '%s', %d, '', '{}', '', 0, x'%x')`, key, hex.EncodeToString(sum[:]), len(content), tc.sums))
			var found []string
			out, err := archive.Verify{
				Audit: func(context.Context, journal.Auditor) error { return nil }, Histories: p.node, Blobs: p.blobs, Scratch: t.TempDir(),
				Found: func(f archive.Finding) {
					if f.What != "blob_unnamed" { // there is no row of the image
						found = append(found, f.What)
					}
				},
			}.Run(t.Context())
			if err != nil || out.Problems != tc.wrong {
				t.Errorf("%d problems, want %d; %v", out.Problems, tc.wrong, err)
			}
			if diff := cmp.Diff(tc.want, found); diff != "" {
				t.Error(diff)
			}
		})
	}
}
