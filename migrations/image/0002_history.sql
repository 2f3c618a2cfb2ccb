-- History: what leaves the log goes to immutable objects in the blob store, and
-- the image's own row remembers what it was.

-- How many bytes the bodies had up to this row, from the first batch on. The
-- difference of two rows is what lies between them.
ALTER TABLE log ADD COLUMN total INTEGER NOT NULL DEFAULT 0;
UPDATE log SET total = s.total
FROM (SELECT ver, sum(length(body)) OVER (ORDER BY ver) AS total FROM log) AS s
WHERE s.ver = log.ver;

-- When an annotation was deleted, and its last rev, so that a revert that brings
-- it back goes on from there.
ALTER TABLE tombstone ADD COLUMN ver INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tombstone ADD COLUMN rev INTEGER NOT NULL DEFAULT 0;
UPDATE tombstone SET ver = d.ver, rev = d.rev
FROM (
  SELECT unhex(o.value ->> '$.id') AS id, max(l.ver) AS ver, ifnull(max(o.value ->> '$.annotation.rev'), 0) AS rev
  FROM log AS l, json_each(CAST(l.body AS TEXT), '$.ops') AS o
  WHERE EXISTS (SELECT 1 FROM tombstone)
  GROUP BY 1
) AS d
WHERE d.id = tombstone.id;

-- Batches that left the log, oldest first and without gap up to the log. ops is
-- the hash that names the object with the batches; keyframe that of the object
-- with the annotations just before first, NULL for none.
CREATE TABLE chunk (
  first    INTEGER PRIMARY KEY,
  last     INTEGER NOT NULL,
  began    INTEGER NOT NULL, -- time of first
  ended    INTEGER NOT NULL, -- time of last
  bytes    INTEGER NOT NULL, -- of the batches as JSON
  ops      BLOB    NOT NULL,
  keyframe BLOB,
  dropped  INTEGER NOT NULL DEFAULT 0 -- its objects are being deleted
) STRICT;

-- What the image's own row was, from each change on. The newest is what it is.
CREATE TABLE change (
  n          INTEGER PRIMARY KEY,
  ver        INTEGER NOT NULL, -- of the image when it changed
  at         INTEGER NOT NULL,
  filename   TEXT    NOT NULL,
  width      INTEGER NOT NULL,
  height     INTEGER NOT NULL,
  deleted_at INTEGER NOT NULL,
  metadata   TEXT    NOT NULL
) STRICT;

-- Of an older file only the present row is known: it stands for all that was
-- before, but that the image is deleted began when it was deleted.
INSERT INTO change (ver, at, filename, width, height, deleted_at, metadata)
SELECT 0, created_at, filename, width, height, 0, metadata FROM image WHERE purged = 0;
INSERT INTO change (ver, at, filename, width, height, deleted_at, metadata)
SELECT (SELECT ifnull(max(ver), 0) FROM log), deleted_at, filename, width, height, deleted_at, metadata
FROM image WHERE purged = 0 AND deleted_at != 0;
