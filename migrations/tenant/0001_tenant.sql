-- One tenant. Times are milliseconds since 1970, 0 is never; texts compare by byte.

-- The one row that counts what the tenant holds, so that no request has to.
CREATE TABLE usage (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  images   INTEGER NOT NULL, -- reserved and listed, soft-deleted ones too
  bytes    INTEGER NOT NULL, -- of images, files and values
  files    INTEGER NOT NULL,
  kv_keys  INTEGER NOT NULL,
  kv_bytes INTEGER NOT NULL,
  members  INTEGER NOT NULL,
  keys     INTEGER NOT NULL,
  rev      INTEGER NOT NULL  -- counts writes of values, for their etags
) STRICT;
INSERT INTO usage VALUES (1, 0, 0, 0, 0, 0, 0, 0, 0);

CREATE TABLE member (
  user         TEXT PRIMARY KEY,
  name         TEXT NOT NULL,
  role         TEXT NOT NULL,
  last_seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE image (
  id               TEXT PRIMARY KEY,
  state            INTEGER NOT NULL, -- 0 reserved, 1 listed, 2 doomed: to be purged
  until            INTEGER NOT NULL, -- when a reservation is cleared
  held             INTEGER NOT NULL, -- bytes counted in usage
  sync_seq         INTEGER NOT NULL, -- newest outbox entry seen; 0: none
  filename         TEXT NOT NULL,
  folded           TEXT NOT NULL,    -- filename without case, for searching
  content_type     TEXT NOT NULL,
  size             INTEGER NOT NULL,
  sha256           TEXT NOT NULL,
  width            INTEGER NOT NULL,
  height           INTEGER NOT NULL,
  uploaded_by      TEXT NOT NULL,
  created_at       INTEGER NOT NULL,
  deleted_at       INTEGER NOT NULL,
  annotation_count INTEGER NOT NULL,
  version          INTEGER NOT NULL,
  metadata         TEXT NOT NULL
) STRICT;
CREATE INDEX image_listed ON image (created_at, id, uploaded_by, folded) WHERE state = 1 AND deleted_at = 0;
CREATE INDEX image_uploader ON image (uploaded_by, created_at, id, folded) WHERE state = 1 AND deleted_at = 0;
CREATE INDEX image_reserved ON image (until) WHERE state = 0;
CREATE INDEX image_gone ON image (id, state, deleted_at) WHERE state = 2 OR deleted_at > 0;

-- created_at is the image's, so that a label's images are in the order of lists.
CREATE TABLE image_label (
  label      TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  image_id   TEXT NOT NULL,
  count      INTEGER NOT NULL,
  PRIMARY KEY (label, created_at, image_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_label_image ON image_label (image_id);

CREATE TABLE kv (
  key        TEXT PRIMARY KEY,
  etag       TEXT NOT NULL,
  size       INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  value      BLOB NOT NULL
) STRICT;
CREATE INDEX kv_expiring ON kv (expires_at) WHERE expires_at > 0;

CREATE TABLE file (
  name         TEXT PRIMARY KEY,
  blob         TEXT NOT NULL UNIQUE,
  etag         TEXT NOT NULL,
  size         INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  meta         TEXT NOT NULL, -- a JSON object of strings
  updated_by   TEXT NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT;

-- Blobs that no row names and that may be deleted from due on.
CREATE TABLE dropped (
  seq  INTEGER PRIMARY KEY AUTOINCREMENT,
  blob TEXT NOT NULL UNIQUE,
  due  INTEGER NOT NULL
) STRICT;

CREATE TABLE service_key (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  role       TEXT NOT NULL,
  secret     BLOB NOT NULL, -- SHA-256 of it
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Requests over several actors that take effect once.
CREATE TABLE claim (
  key    TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  until  INTEGER NOT NULL, -- the end of the lease; once done, of the verdict
  done   INTEGER NOT NULL,
  hash   TEXT NOT NULL,
  answer TEXT NOT NULL,    -- JSON, or ''
  error  TEXT NOT NULL     -- JSON, or ''
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_until ON claim (until);

CREATE TABLE bulk (
  id       TEXT PRIMARY KEY,
  outcome  INTEGER NOT NULL, -- 1 commit, 0 abort
  tries    INTEGER NOT NULL, -- how often the images were told
  tell_at  INTEGER NOT NULL, -- when they are told again; 0: all have confirmed
  until    INTEGER NOT NULL  -- when it is forgotten, if all have confirmed
) STRICT, WITHOUT ROWID;
CREATE INDEX bulk_telling ON bulk (tell_at) WHERE tell_at > 0;
CREATE INDEX bulk_until ON bulk (until);

-- Images that have not confirmed.
CREATE TABLE bulk_image (
  bulk_id  TEXT NOT NULL,
  image_id TEXT NOT NULL,
  PRIMARY KEY (bulk_id, image_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX bulk_image_image ON bulk_image (image_id);
