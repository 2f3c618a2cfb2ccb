package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

var _ = exec.Command

func TestZZProfile(t *testing.T) {
	dir := t.TempDir()
	url, stop, _ := startProgram(t, "--data", dir, "--client-ops=1000000", "--client-burst=1000000", "--image-ops=1000000", "--tenant-ops=1000000")
	defer stop()
	_, tok, _ := easelCommand(t, nil, "token", "--data", dir, "--tenant", "t", "--user", "u", "--role", "owner")
	tok = strings.TrimSpace(tok)
	var pb bytes.Buffer
	png.Encode(&pb, image.NewRGBA(image.Rect(0, 0, 8, 8)))
	pic := append(pb.Bytes(), make([]byte, 200000)...)
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	p, _ := w.CreateFormFile("image", "a.png")
	p.Write(pic)
	w.Close()
	begin := time.Now()
	var wg sync.WaitGroup
	n := 0
	var mu sync.Mutex
	for range 16 {
		wg.Go(func() {
			c := &http.Client{Transport: &http.Transport{}}
			for time.Since(begin) < 6*time.Second {
				req, _ := http.NewRequest("POST", url+"/api/images/upload", bytes.NewReader(buf.Bytes()))
				req.Header.Set("Authorization", "Bearer "+tok)
				req.Header.Set("Content-Type", w.FormDataContentType())
				res, err := c.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
				mu.Lock()
				n++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	fmt.Println("uploads/s", float64(n)/time.Since(begin).Seconds())
}
