-- What people draw with: the newest versions of the tenant's label schema, each as
-- it was put. Without a row nothing was ever put.
CREATE TABLE label_schema (
  version    INTEGER PRIMARY KEY,
  body       TEXT    NOT NULL, -- a JSON object
  updated_by TEXT    NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
