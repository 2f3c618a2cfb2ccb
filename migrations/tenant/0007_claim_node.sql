-- Who holds a claim: a node, and which of its lives. A node that is started again
-- knows that what it held before is held by nobody any more.
ALTER TABLE claim ADD COLUMN node TEXT NOT NULL DEFAULT '';
ALTER TABLE claim ADD COLUMN life TEXT NOT NULL DEFAULT '';
