-- One image. Tables are laid out so that a batch of one op changes few pages:
-- a leaf of annotation, a leaf of log, and for a client a leaf of verdict.
-- Ids are stored as their 16 bytes.

-- The image's own row. The version, the time and the number of annotations are
-- those of the newest row of log.
CREATE TABLE image (
  one          INTEGER PRIMARY KEY CHECK (one = 1),
  id           BLOB    NOT NULL,
  epoch        TEXT    NOT NULL,            -- name of the history
  filename     TEXT    NOT NULL,
  content_type TEXT    NOT NULL,
  size         INTEGER NOT NULL,
  sha256       TEXT    NOT NULL,
  width        INTEGER NOT NULL DEFAULT 0,
  height       INTEGER NOT NULL DEFAULT 0,
  uploaded_by  TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  deleted_at   INTEGER NOT NULL DEFAULT 0,  -- 0: live
  metadata     TEXT    NOT NULL,
  changes      INTEGER NOT NULL DEFAULT 0,  -- of this row, for the outbox
  unreadable   TEXT    NOT NULL DEFAULT '', -- why there will never be dimensions
  purged       INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE annotation (
  id         BLOB    PRIMARY KEY,
  ver        INTEGER NOT NULL, -- of creation; with pos the order of lists
  pos        INTEGER NOT NULL, -- in the batch of creation
  rev        INTEGER NOT NULL,
  label      TEXT    NOT NULL,
  x          REAL    NOT NULL,
  y          REAL    NOT NULL,
  width      REAL    NOT NULL,
  height     REAL    NOT NULL,
  confidence REAL,
  created_by TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  updated_by TEXT    NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Deleted annotations, kept for ever: their ids are never used again.
CREATE TABLE tombstone (
  id BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Accepted batches, without gap.
CREATE TABLE log (
  ver  INTEGER PRIMARY KEY,
  at   INTEGER NOT NULL,
  live INTEGER NOT NULL, -- annotations after the batch
  body BLOB    NOT NULL  -- the batch as a JSON object
) STRICT;

-- Who sends ops with a seq. Rows are dropped some time after seen and after the
-- last verdict.
CREATE TABLE client (
  n      INTEGER PRIMARY KEY,
  user   TEXT    NOT NULL,
  client TEXT    NOT NULL,
  conn   TEXT    NOT NULL, -- the current connection
  seen   INTEGER NOT NULL,
  UNIQUE (user, client)
) STRICT;

-- The last verdicts of each client: a ring with slot = seq modulo its size.
CREATE TABLE verdict (
  client INTEGER NOT NULL,
  slot   INTEGER NOT NULL,
  seq    INTEGER NOT NULL,
  at     INTEGER NOT NULL,
  hash   TEXT    NOT NULL,
  ver    INTEGER NOT NULL,
  body   BLOB    NOT NULL,
  PRIMARY KEY (client, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE chat (
  n    INTEGER PRIMARY KEY,
  id   BLOB    NOT NULL,
  user TEXT    NOT NULL,
  at   INTEGER NOT NULL,
  text TEXT    NOT NULL
) STRICT;

-- Parts of bulks over several images that wait for their decision.
CREATE TABLE intent (
  bulk BLOB    PRIMARY KEY,
  size INTEGER NOT NULL, -- annotations
  body BLOB    NOT NULL  -- the Prepare as JSON
) STRICT, WITHOUT ROWID;

-- What was decided, for repeats.
CREATE TABLE decision (
  bulk     BLOB    PRIMARY KEY,
  accepted INTEGER NOT NULL,
  at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
