package sqlite

// ExecOutside runs a script outside of a transaction, as VACUUM needs.
func (d *DB) ExecOutside(script string) error { return d.c.exec(script) }
