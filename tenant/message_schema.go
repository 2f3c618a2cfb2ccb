package tenant

import "github.com/easelhq/easel"

// Schema asks for a version of the label schema; -> SchemaReply. CodeNotFound for
// a version that never was or is no longer kept.
type Schema struct {
	Version int64 `json:"version,omitempty"` // 0: the newest
}

// MessageName implements actors.Message.
func (Schema) MessageName() string { return "tenant.schema" }

// SchemaPut replaces the label schema; -> SchemaReply with its new version.
// Admins may. One equal to the newest changes nothing. If, whose tags are
// versions, must hold: else CodeConflict with the newest as Current. 0 is the
// version of a schema that was never put.
type SchemaPut struct {
	By     Author            `json:"by"`
	Schema easel.LabelSchema `json:"schema"`
	If     Condition         `json:"if"`
}

// MessageName implements actors.Message.
func (SchemaPut) MessageName() string { return "tenant.schema_put" }

// SchemaReply is one version, in the form of GET /api/schema.
type SchemaReply struct {
	Version int64 `json:"version"` // 0: never put
	easel.LabelSchema
	UpdatedBy string     `json:"updated_by"`
	UpdatedAt easel.Time `json:"updated_at"` // null: never
}

// MessageName implements actors.Message.
func (SchemaReply) MessageName() string { return "tenant.schema_reply" }

// SchemaVersions lists the versions that are kept, newest first;
// -> SchemaVersionsReply.
type SchemaVersions struct{}

// MessageName implements actors.Message.
func (SchemaVersions) MessageName() string { return "tenant.schema_versions" }

// SchemaVersionsReply holds at most KeptSchemas versions.
type SchemaVersionsReply struct {
	Versions []SchemaVersion `json:"versions"` // never nil
}

// MessageName implements actors.Message.
func (SchemaVersionsReply) MessageName() string { return "tenant.schema_versions_reply" }

// SchemaVersion says who put a version, and when.
type SchemaVersion struct {
	Version   int64      `json:"version"`
	UpdatedBy string     `json:"updated_by"`
	UpdatedAt easel.Time `json:"updated_at"`
}
