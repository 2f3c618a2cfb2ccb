package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// sink is an archive being written. What an earlier run has left is in it already.
type sink interface {
	// known returns a part that is there, whole.
	known(name string) (Part, bool)
	// put writes a part of p.Size bytes; its SHA256 is found out on the way.
	put(p Part, r io.Reader) (Part, error)
	// finish writes the manifest and makes all of it durable.
	finish(m Manifest) error
	Close() error
}

// openSink opens a folder, or a tar if the name ends so.
func openSink(path string) (sink, error) {
	if strings.HasSuffix(path, ".tar") {
		return openTarSink(path)
	}
	return openDirSink(path)
}

// dirSink is a folder. Parts that are finished are lines of a file beside them until
// the manifest is there.
type dirSink struct {
	dir   string
	parts map[string]Part
	notes *os.File
}

const notesName = "progress.jsonl"

func openDirSink(dir string) (*dirSink, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &dirSink{dir: dir, parts: map[string]Part{}}
	if m, err := readDirManifest(dir); err == nil {
		for _, p := range m.Parts {
			s.parts[p.Name] = p
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if b, err := os.ReadFile(filepath.Join(dir, notesName)); err == nil {
		for line := range bytes.Lines(b) {
			var p Part
			if json.Unmarshal(line, &p) == nil && p.Name != "" { // the last line may be cut off
				s.parts[p.Name] = p
			}
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	} else if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 && len(s.parts) == 0 {
		return nil, errors.Join(err, fmt.Errorf("%s is not empty and holds no archive", dir))
	}
	var err error
	s.notes, err = os.OpenFile(filepath.Join(dir, notesName), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	return s, err
}

func readDirManifest(dir string) (Manifest, error) {
	var m Manifest
	b, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("read manifest: %w", err)
	}
	return m, nil
}

func (s *dirSink) known(name string) (Part, bool) {
	p, ok := s.parts[name]
	if !ok {
		return Part{}, false
	}
	info, err := os.Stat(filepath.Join(s.dir, filepath.FromSlash(name)))
	return p, err == nil && info.Size() == p.Size
}

func (s *dirSink) put(p Part, r io.Reader) (Part, error) {
	path := filepath.Join(s.dir, filepath.FromSlash(p.Name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return Part{}, err
	}
	in := newSums(r, nil)
	if err := writeSynced(path, in); err != nil {
		return Part{}, fmt.Errorf("write %s: %w", p.Name, err)
	}
	p.Size, p.SHA256 = in.size, in.hex()
	line, err := json.Marshal(p)
	if err == nil {
		_, err = s.notes.Write(append(line, '\n'))
	}
	s.parts[p.Name] = p
	return p, err
}

// writeSynced makes a file whole or not at all.
func writeSynced(path string, r io.Reader) error {
	temp := path + ".tmp"
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, r, make([]byte, 1<<17))
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp) // the error says more
	}
	return err
}

func (s *dirSink) finish(m Manifest) error {
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	if err := s.syncDirs(); err != nil { // before there is a manifest that names what is in them
		return err
	}
	if err := writeSynced(filepath.Join(s.dir, manifestName), bytes.NewReader(append(b, '\n'))); err != nil {
		return err
	}
	if err := syncDir(s.dir); err != nil {
		return err
	}
	return os.Remove(filepath.Join(s.dir, notesName))
}

// syncDirs makes the names of all parts durable, and that of the archive itself.
func (s *dirSink) syncDirs() error {
	if err := syncDir(filepath.Dir(filepath.Clean(s.dir))); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return syncDir(path)
	})
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (s *dirSink) Close() error { return s.notes.Close() }

// tarSink is one file. A part that is put again is there twice: the last one counts.
type tarSink struct {
	f     *os.File
	buf   *bufio.Writer
	w     *tar.Writer
	parts map[string]Part
}

// atRecord is the PAX record that holds Part.At.
const atRecord = "EASEL.at"

func openTarSink(path string) (_ *tarSink, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // the error says more
		}
	}()
	s := &tarSink{f: f, parts: map[string]Part{}}
	end, err := s.read()
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(end); err != nil {
		return nil, err
	}
	if _, err := f.Seek(end, io.SeekStart); err != nil {
		return nil, err
	}
	s.buf = bufio.NewWriterSize(f, 1<<18)
	s.w = tar.NewWriter(s.buf)
	return s, nil
}

// read finds the parts that are whole, and where the last of them ends.
func (s *tarSink) read() (end int64, err error) {
	at := &counter{r: bufio.NewReaderSize(s.f, 1<<18)}
	r := tar.NewReader(at)
	for first := true; ; first = false {
		p, err := readPart(r)
		cut := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		switch {
		case err == nil:
			end = (at.n + 511) / 512 * 512
		case first && !cut:
			return 0, fmt.Errorf("the file is no archive: %w", err)
		default: // the end, or where a run was cut off
			return end, nil
		}
		if p.Name != manifestName {
			s.parts[p.Name] = p
		}
	}
}

// readPart reads the next part of a tar to its end.
func readPart(r *tar.Reader) (Part, error) {
	h, err := r.Next()
	if err != nil {
		return Part{}, err
	}
	in := newSums(r, nil)
	_, err = io.Copy(io.Discard, in)
	return Part{Name: h.Name, Size: h.Size, SHA256: in.hex(), At: h.PAXRecords[atRecord]}, err
}

// counter counts what is read through it.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

func (s *tarSink) known(name string) (Part, bool) {
	p, ok := s.parts[name]
	return p, ok
}

func (s *tarSink) put(p Part, r io.Reader) (Part, error) {
	h := &tar.Header{
		Typeflag: tar.TypeReg, Name: p.Name, Size: p.Size, Mode: 0o600, ModTime: time.Unix(0, 0),
		Format: tar.FormatPAX, PAXRecords: map[string]string{atRecord: p.At},
	}
	if err := s.w.WriteHeader(h); err != nil {
		return Part{}, err
	}
	in := newSums(r, nil)
	if _, err := io.CopyBuffer(struct{ io.Writer }{s.w}, in, make([]byte, 1<<17)); err != nil {
		return Part{}, fmt.Errorf("write %s: %w", p.Name, err)
	}
	if in.size != p.Size {
		return Part{}, fmt.Errorf("write %s: %d bytes, not %d", p.Name, in.size, p.Size)
	}
	p.SHA256 = in.hex()
	s.parts[p.Name] = p
	return p, s.w.Flush()
}

func (s *tarSink) finish(m Manifest) error {
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	if _, err := s.put(Part{Name: manifestName, Size: int64(len(b))}, bytes.NewReader(b)); err != nil {
		return err
	}
	if err := s.w.Close(); err != nil {
		return err
	}
	if err := s.buf.Flush(); err != nil {
		return err
	}
	if err := s.f.Sync(); err != nil {
		return err
	}
	err = syncDir(filepath.Dir(s.f.Name()))
	if errors.Is(err, fs.ErrPermission) {
		return nil // what may not be read was not changed by this process either
	}
	return err
}

// Close leaves what was put to the next run.
func (s *tarSink) Close() error { return errors.Join(s.buf.Flush(), s.f.Close()) }
