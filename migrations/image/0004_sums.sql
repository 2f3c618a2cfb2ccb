-- Checksums of the blocks of the image's file, as package blob encodes them, so that
-- a part of it can be checked without the rest. Empty: it was uploaded before there
-- were any.
ALTER TABLE image ADD COLUMN sums BLOB NOT NULL DEFAULT x'';
