package tenant

import "github.com/easelhq/easel"

// Condition makes a write compare-and-set. The zero Condition always holds; a
// failed one is CodeConflict, with {"etag": …} of what is there, or null, as
// Error.Current.
type Condition struct {
	IfMatch  string `json:"if_match,omitempty"`  // etags without quotes, comma-separated: any of them; "*": anything that exists
	IfAbsent bool   `json:"if_absent,omitempty"` // If-None-Match: *
}

// KVPut writes a value; -> KVStored. Annotators write below their own prefix
// (OwnPrefix), admins anywhere: else CodeForbidden. CodeTooLarge above MaxValue;
// CodeRateLimited at the quota of bytes.
type KVPut struct {
	By    Author    `json:"by"`
	Key   string    `json:"key"`
	Value []byte    `json:"value"`
	TTL   int64     `json:"ttl,omitempty"` // seconds; 0: for ever
	If    Condition `json:"if"`
}

// MessageName implements actors.Message.
func (KVPut) MessageName() string { return "tenant.kv_put" }

// KVStored answers KVPut.
type KVStored struct {
	ETag      string     `json:"etag"` // without quotes
	Size      int64      `json:"size"` // bytes
	ExpiresAt easel.Time `json:"expires_at"`
}

// MessageName implements actors.Message.
func (KVStored) MessageName() string { return "tenant.kv_stored" }

// KVGet reads a value; -> KVValue. CodeNotFound also once it has expired.
type KVGet struct {
	Key string `json:"key"`
}

// MessageName implements actors.Message.
func (KVGet) MessageName() string { return "tenant.kv_get" }

// KVValue answers KVGet.
type KVValue struct {
	Entry KVEntry `json:"entry"`
	Value []byte  `json:"value"` // byte for byte as written
}

// MessageName implements actors.Message.
func (KVValue) MessageName() string { return "tenant.kv_value" }

// KVDelete removes a value; -> Empty. CodeNotFound if there is none.
type KVDelete struct {
	By  Author    `json:"by"`
	Key string    `json:"key"`
	If  Condition `json:"if"`
}

// MessageName implements actors.Message.
func (KVDelete) MessageName() string { return "tenant.kv_delete" }

// KVList lists keys in byte order; -> KVListReply.
type KVList struct {
	Prefix string `json:"prefix,omitempty"`
	Limit  int    `json:"limit"` // as in Images
	Cursor string `json:"cursor,omitempty"`
}

// MessageName implements actors.Message.
func (KVList) MessageName() string { return "tenant.kv_list" }

// KVListReply is one page of keys, in the form of GET /api/kv.
type KVListReply struct {
	Keys []KVEntry `json:"keys"` // never nil
	Next string    `json:"next_cursor,omitempty"`
}

// MessageName implements actors.Message.
func (KVListReply) MessageName() string { return "tenant.kv_list_reply" }

// KVEntry describes a value.
type KVEntry struct {
	Key       string     `json:"key"`
	Size      int64      `json:"size"` // bytes
	ETag      string     `json:"etag"` // without quotes
	ExpiresAt easel.Time `json:"expires_at,omitempty"`
	UpdatedAt easel.Time `json:"updated_at"`
}

// File is the row of one of the tenant's files.
type File struct {
	Name        string            `json:"name"`
	ETag        string            `json:"etag"` // SHA-256 of the content in hex, without quotes
	Size        int64             `json:"size"` // bytes
	ContentType string            `json:"content_type"`
	Meta        map[string]string `json:"meta,omitempty"` // X-Easel-Meta-*: lower-case names without the prefix
	UpdatedBy   string            `json:"updated_by"`
	UpdatedAt   easel.Time        `json:"updated_at"`
}

// FilePut lets a name stand for a blob that is already stored; -> FileReply. The
// blob it stood for before is queued for deletion. Same rules for who may write
// as KVPut. CodeInvalid for a bad name; CodeGone if the blob was given up.
// UpdatedBy and UpdatedAt of File are the tenant's to set.
type FilePut struct {
	By   Author    `json:"by"`
	File File      `json:"file"`
	Blob string    `json:"blob"`           // its key
	Sums []byte    `json:"sums,omitempty"` // of its blocks, see blob.Sums; empty: not known
	If   Condition `json:"if"`
}

// MessageName implements actors.Message.
func (FilePut) MessageName() string { return "tenant.file_put" }

// FileCheck says whether a FilePut with the same fields could succeed now, so
// that nobody streams a body in vain; -> Empty or FilePut's error.
type FileCheck struct {
	By   Author    `json:"by"`
	Name string    `json:"name"`
	If   Condition `json:"if"`
}

// MessageName implements actors.Message.
func (FileCheck) MessageName() string { return "tenant.file_check" }

// FileGet reads a file's row; -> FileReply. CodeNotFound.
type FileGet struct {
	Name string `json:"name"`
}

// MessageName implements actors.Message.
func (FileGet) MessageName() string { return "tenant.file_get" }

// FileReply answers FilePut and FileGet.
type FileReply struct {
	File File   `json:"file"`
	Blob string `json:"blob"`           // where the content is
	Sums []byte `json:"sums,omitempty"` // as in FilePut; empty in its answer
}

// MessageName implements actors.Message.
func (FileReply) MessageName() string { return "tenant.file_reply" }

// FileDelete removes a file's row and queues its blob for deletion; -> Empty.
// CodeNotFound if there is none.
type FileDelete struct {
	By   Author    `json:"by"`
	Name string    `json:"name"`
	If   Condition `json:"if"`
}

// MessageName implements actors.Message.
func (FileDelete) MessageName() string { return "tenant.file_delete" }

// FileList lists files by name in byte order; -> FileListReply.
type FileList struct {
	Prefix string `json:"prefix,omitempty"`
	Limit  int    `json:"limit"` // as in Images
	Cursor string `json:"cursor,omitempty"`
}

// MessageName implements actors.Message.
func (FileList) MessageName() string { return "tenant.file_list" }

// FileListReply is one page of files, in the form of GET /api/files.
type FileListReply struct {
	Files []File `json:"files"` // never nil
	Next  string `json:"next_cursor,omitempty"`
}

// MessageName implements actors.Message.
func (FileListReply) MessageName() string { return "tenant.file_list_reply" }

// Drops asks for blobs that no row names any more and that may be deleted;
// -> DropsReply, oldest first.
type Drops struct {
	After int64 `json:"after"` // Drop.Seq of the last one seen; 0: from the start
	Limit int   `json:"limit"` // 1 to 1,000
}

// MessageName implements actors.Message.
func (Drops) MessageName() string { return "tenant.drops" }

// DropsReply lists blobs to delete.
type DropsReply struct {
	Drops []Drop `json:"drops"`
}

// MessageName implements actors.Message.
func (DropsReply) MessageName() string { return "tenant.drops_reply" }

// Drop is one blob to delete.
type Drop struct {
	Seq  int64  `json:"seq"`
	Blob string `json:"blob"` // its key
}

// Dropped tells that blobs were deleted; -> Empty, also when repeated.
type Dropped struct {
	Seqs []int64 `json:"seqs"`
}

// MessageName implements actors.Message.
func (Dropped) MessageName() string { return "tenant.dropped" }

// Sweep names blobs of this tenant that exist and are old; those that no row
// names are queued for deletion; -> SweepReply. From then on no FilePut can name
// one. Keys of other tenants are ignored.
type Sweep struct {
	Blobs []string `json:"blobs"` // keys, at most 1,000
}

// MessageName implements actors.Message.
func (Sweep) MessageName() string { return "tenant.sweep" }

// SweepReply answers Sweep.
type SweepReply struct {
	Queued int `json:"queued"`
}

// MessageName implements actors.Message.
func (SweepReply) MessageName() string { return "tenant.sweep_reply" }

// KeyCreate makes a service key; -> KeyCreated. CodeForbidden unless the author
// is an admin and has at least the key's role.
type KeyCreate struct {
	By   Author     `json:"by"`
	Name string     `json:"name"` // 1 to 100 code points
	Role easel.Role `json:"role"`
	TTL  int64      `json:"ttl,omitempty"` // seconds; 0: does not expire
	// Tenant is what the tenant is called in the author's token, for who comes
	// with the key to be told.
	Tenant string `json:"tenant"`
	// Secret is HashSecret of the key's secret. Who asks makes the secret: so no
	// message, verdict or file ever holds it.
	Secret []byte `json:"secret"`
}

// MessageName implements actors.Message.
func (KeyCreate) MessageName() string { return "tenant.key_create" }

// KeyCreated answers KeyCreate.
type KeyCreated struct {
	ID        easel.ID   `json:"id"`
	Role      easel.Role `json:"role"`
	ExpiresAt easel.Time `json:"expires_at"`
}

// MessageName implements actors.Message.
func (KeyCreated) MessageName() string { return "tenant.key_created" }

// KeyList lists service keys, newest first; -> KeyListReply. Admins only.
type KeyList struct {
	By     Author `json:"by"`
	Limit  int    `json:"limit"` // as in Images
	Cursor string `json:"cursor,omitempty"`
}

// MessageName implements actors.Message.
func (KeyList) MessageName() string { return "tenant.key_list" }

// KeyListReply is one page of keys, in the form of GET /api/keys.
type KeyListReply struct {
	Keys []KeyInfo `json:"keys"` // never nil
	Next string    `json:"next_cursor,omitempty"`
}

// MessageName implements actors.Message.
func (KeyListReply) MessageName() string { return "tenant.key_list_reply" }

// KeyInfo is a service key without its secret.
type KeyInfo struct {
	ID        easel.ID   `json:"id"`
	Name      string     `json:"name"`
	Role      easel.Role `json:"role"`
	CreatedBy string     `json:"created_by"`
	CreatedAt easel.Time `json:"created_at"`
	ExpiresAt easel.Time `json:"expires_at" nullable:"true"`
}

// KeyDelete ends a service key; -> Empty. Admins only; CodeNotFound.
type KeyDelete struct {
	By Author   `json:"by"`
	ID easel.ID `json:"id"`
}

// MessageName implements actors.Message.
func (KeyDelete) MessageName() string { return "tenant.key_delete" }

// KeyCheck verifies a presented service key; -> KeyReply. CodeUnauthorized for
// an unknown id, a wrong secret and an expired key alike.
type KeyCheck struct {
	ID     easel.ID `json:"id"`
	Secret string   `json:"secret"` // the last part of the key, as shown
}

// MessageName implements actors.Message.
func (KeyCheck) MessageName() string { return "tenant.key_check" }

// KeyReply answers KeyCheck.
type KeyReply struct {
	ID        easel.ID   `json:"id"`
	Name      string     `json:"name"`
	Role      easel.Role `json:"role"`
	CreatedBy string     `json:"created_by"`
	ExpiresAt easel.Time `json:"expires_at"` // 0: never
	Tenant    string     `json:"tenant"`     // as in KeyCreate
}

// MessageName implements actors.Message.
func (KeyReply) MessageName() string { return "tenant.key_reply" }
