-- Checksums of the blocks of a file's content, as package blob encodes them, so that
-- a part of it can be checked without the rest. Empty: it was put before there were
-- any.
ALTER TABLE file ADD COLUMN sums BLOB NOT NULL DEFAULT x'';
