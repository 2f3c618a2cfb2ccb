package archive

import (
	"archive/tar"
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// source is an archive being read.
type source interface {
	manifest() (Manifest, error)
	open(name string) (io.ReadCloser, error)
	Close() error
}

func openSource(path string) (source, error) {
	if strings.HasSuffix(path, ".tar") {
		return openTarSource(path)
	}
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%w: it is neither a folder nor a file whose name ends with .tar", ErrNotArchive)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &dirSource{root}, nil
}

type dirSource struct{ root *os.Root }

func (s *dirSource) manifest() (Manifest, error) {
	var m Manifest
	b, err := s.root.ReadFile(manifestName)
	if errors.Is(err, os.ErrNotExist) {
		return m, errIncomplete
	}
	if err == nil {
		m, err = parseManifest(b)
	}
	return m, err
}

func parseManifest(b []byte) (m Manifest, err error) {
	if err := json.Unmarshal(b, &m); err != nil {
		return Manifest{}, fmt.Errorf("%w: %s cannot be read: %w", ErrNotArchive, manifestName, err)
	}
	return m, nil
}

// errIncomplete: there is no manifest, which an export writes last.
var errIncomplete = errors.New("it has no manifest: the export did not end, run it again")

func (s *dirSource) open(name string) (io.ReadCloser, error) {
	return s.root.Open(filepath.FromSlash(name))
}

func (s *dirSource) Close() error { return s.root.Close() }

// tarSource knows where each part begins; of a part that is there twice the last.
type tarSource struct {
	f     *os.File
	parts map[string]span
}

type span struct{ off, size int64 }

func openTarSource(path string) (source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	s := &tarSource{f: f, parts: map[string]span{}}
	at := &counter{r: bufio.NewReaderSize(f, 1<<18)}
	for r := tar.NewReader(at); ; {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF) && len(s.parts) > 0:
			return s, nil // if it was cut off, its manifest is missing
		case errors.Is(err, tar.ErrHeader), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, errors.Join(fmt.Errorf("%w: %w", ErrNotArchive, err), f.Close())
		case err != nil:
			return nil, errors.Join(fmt.Errorf("read: %w", err), f.Close())
		}
		s.parts[h.Name] = span{at.n, h.Size}
	}
}

func (s *tarSource) manifest() (Manifest, error) {
	var m Manifest
	if _, ok := s.parts[manifestName]; !ok {
		return m, errIncomplete
	}
	r, err := s.open(manifestName)
	if err != nil {
		return m, err
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return m, err
	}
	return parseManifest(b)
}

func (s *tarSource) open(name string) (io.ReadCloser, error) {
	at, ok := s.parts[name]
	if !ok {
		return nil, fmt.Errorf("%s: %w", name, os.ErrNotExist)
	}
	return io.NopCloser(io.NewSectionReader(s.f, at.off, at.size)), nil
}

func (s *tarSource) Close() error { return s.f.Close() }
