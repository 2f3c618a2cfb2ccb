-- A service key says what its tenant is called, which nothing else here knows: the
-- tenant itself is only a hash. Keys made before say ''.
ALTER TABLE service_key ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
