-- How far the work on an image is, as its metadata say in "state": 0 new (or
-- anything else), 1 in progress, 2 done. Lists are narrowed by it.
ALTER TABLE image ADD COLUMN progress INTEGER NOT NULL GENERATED ALWAYS AS (
  CASE WHEN json_valid(metadata)
    THEN CASE metadata ->> '$.state' WHEN 'in_progress' THEN 1 WHEN 'done' THEN 2 ELSE 0 END
    ELSE 0 END) VIRTUAL;
CREATE INDEX image_progress ON image (progress, created_at, id, uploaded_by, folded) WHERE state = 1 AND deleted_at = 0;
