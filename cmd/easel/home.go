package main

import (
	"io"
	"log/slog"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/easelhq/easel/blob"
	"github.com/easelhq/easel/journal"
)

// durableHome is a folder of this machine, or a bucket. Both hold the actors'
// histories below "journal" and the blobs below "blobs".
type durableHome struct {
	dir    string          // "" for a bucket
	bucket *blob.S3Options // nil for a folder
	linger time.Duration   // of commits to a bucket
}

// parseHome reads what the configuration says; lookup has the credentials.
func parseHome(c Config, lookup func(string) (string, bool)) (durableHome, error) {
	text := c.Store.home()
	if !c.Store.remote() {
		return durableHome{dir: strings.TrimPrefix(text, "dir:")}, nil
	}
	o, err := blob.ParseS3(text)
	if err != nil {
		return durableHome{}, badKey("store", "%v", err)
	}
	for _, credential := range []struct {
		name  string
		field *string
	}{{"AWS_ACCESS_KEY_ID", &o.AccessKey}, {"AWS_SECRET_ACCESS_KEY", &o.SecretKey}} {
		v, _ := lookup(credential.name)
		if v == "" {
			return durableHome{}, badKey("store", "needs %s in the environment", credential.name)
		}
		*credential.field = v
	}
	o.SessionToken, _ = lookup("AWS_SESSION_TOKEN")
	if o.Region == "" {
		o.Region, _ = lookup("AWS_REGION")
	}
	return durableHome{bucket: &o, linger: c.Life.Linger}, nil
}

// String is for logs: it names the place and no credentials.
func (h durableHome) String() string {
	if h.bucket == nil {
		return h.dir
	}
	return "s3://" + path.Join(h.bucket.Bucket, h.bucket.Prefix)
}

// store is what blobs are kept in.
type store interface {
	blob.Store
	io.Closer
}

// openBlobs opens the objects of the home.
func (h durableHome) openBlobs() (store, error) {
	if h.bucket != nil {
		return h.openS3("blobs")
	}
	d, err := blob.OpenDir(filepath.Join(h.dir, "blobs"))
	if err != nil {
		return nil, badKey("store", "%v", err)
	}
	return d, nil
}

// openS3 opens a part of the bucket.
func (h durableHome) openS3(part string) (*blob.S3, error) {
	o := *h.bucket
	o.Prefix = path.Join(o.Prefix, part)
	s, err := blob.OpenS3(o)
	if err != nil {
		return nil, badKey("store", "%v", err)
	}
	return s, nil
}

// openJournal opens the histories of the home: the node log of a folder, or a log
// for each actor in a bucket. A node that is alone may have a bucket of any kind.
func (h durableHome) openJournal(node string, alone bool, log *slog.Logger, r prometheus.Registerer) (journal.Journal, error) {
	if h.bucket == nil {
		j, err := journal.OpenNode(journal.NodeOptions{Dir: filepath.Join(h.dir, "journal"), Logger: log, Registerer: r})
		if err != nil {
			return nil, badKey("store", "%v", err)
		}
		return j, nil
	}
	s, err := h.openS3("journal")
	if err != nil {
		return nil, err
	}
	j, err := journal.OpenBucket(journal.BucketOptions{Store: s, Owner: node, Single: alone, Linger: h.linger, Log: log, Registerer: r})
	if err != nil {
		_ = s.Close() // it has only idle connections
		return nil, badKey("store", "%v", err)
	}
	return &bucketJournal{Bucket: j, store: s}, nil
}

// inFlight is how many commits of one actor the home takes at once; 0: the
// runtime's own number. The folder's log syncs once for all that wait, so there a
// second commit of the same actor would be durable no earlier than as a part of
// one larger turn. A bucket is far away and takes several.
func (h durableHome) inFlight() int {
	if h.bucket == nil {
		return 1
	}
	return 0
}

// bucketJournal closes the store with the journal.
type bucketJournal struct {
	*journal.Bucket
	store io.Closer
}

func (j *bucketJournal) Close() error {
	if err := j.Bucket.Close(); err != nil {
		return err
	}
	return j.store.Close()
}
