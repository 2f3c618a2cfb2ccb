package blob_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/blob/blobtest"
)

func TestS3FulfilsTheContractOnS3(t *testing.T) {
	for _, name := range blobtest.Servers() {
		t.Run(name, func(t *testing.T) {
			o := blobtest.Serve(t, name)
			homes := 0
			blobtest.RunOnFolders(t, func(t *testing.T) blob.Store {
				homes++
				o.Prefix = fmt.Sprintf("home-%d/below", homes)
				return openS3(t, o)
			})
		})
	}
}

func TestS3ProbesAndPresignsOnS3(t *testing.T) {
	for _, name := range blobtest.Servers() {
		t.Run(name, func(t *testing.T) {
			o := blobtest.Serve(t, name)
			s := openS3(t, o)
			if err := s.Probe(t.Context()); err != nil {
				t.Errorf("probe: %v", err)
			}
			const size = 11<<20 + 3 // three parts
			if _, err := s.Put(t.Context(), "a/b", io.LimitReader(zeros{}, size)); err != nil {
				t.Fatal(err)
			}
			link, err := s.PresignGet(t.Context(), "a/b", time.Hour, "image/png", `cat "ü".png`)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(link, o.Endpoint+"/"+o.Bucket+"/") {
				t.Errorf("the URL is not the bucket's own: %s", link)
			}
			status, contentType, body, err := blobtest.Fetch(t.Context(), link)
			if err != nil || status != http.StatusOK || contentType != "image/png" || len(body) != size {
				t.Errorf("%d, %s, %d bytes, %v", status, contentType, len(body), err)
			}
			if status, _, _, err := blobtest.Fetch(t.Context(), blobtest.Altered(link)); err != nil || status != http.StatusForbidden {
				t.Errorf("altered: %d, %v", status, err)
			}
			short, err := s.PresignGet(t.Context(), "a/b", time.Second, "image/png", "cat.png")
			if err != nil {
				t.Fatal(err)
			}
			deadline := time.Now().Add(30 * time.Second)
			for status = http.StatusOK; status == http.StatusOK && time.Now().Before(deadline); {
				if status, _, _, err = blobtest.Fetch(t.Context(), short); err != nil {
					t.Fatal(err)
				}
			}
			if status != http.StatusForbidden {
				t.Errorf("expired: %d", status)
			}
			o.SecretKey = "another secret"
			if _, err := openS3(t, o).PutIfAbsent(t.Context(), "a/c", []byte("x")); err == nil {
				t.Error("wrong credentials were taken")
			}
		})
	}
}
