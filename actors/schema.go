package actors

import (
	"github.com/easelhq/easel/sqlite"
)

// runtimeSQL is migration 1 of every durable actor's file. It is never edited: a
// later change of the runtime's tables becomes a migration that kinds list after
// their own.
const runtimeSQL = `
CREATE TABLE actor_alarm (
	name     TEXT    NOT NULL PRIMARY KEY,
	due      INTEGER NOT NULL, -- milliseconds since 1970
	attempts INTEGER NOT NULL  -- failed calls since it was set
) STRICT, WITHOUT ROWID;

CREATE TABLE actor_once (
	id      TEXT    NOT NULL PRIMARY KEY,
	hash    TEXT    NOT NULL, -- of the request's content
	at      INTEGER NOT NULL, -- milliseconds since 1970
	verdict BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
`

// NewSchema returns the schema of a durable kind's files: the runtime's own
// tables, then the kind's migrations, oldest first. Names of tables that start
// with "actor_" are the runtime's.
func NewSchema(name string, migrations []string) (*sqlite.Schema, error) {
	return sqlite.NewSchema(name, append([]string{runtimeSQL}, migrations...))
}
