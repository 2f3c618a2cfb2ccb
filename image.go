package easel

import "encoding/json"

// Image is the public row of one image.
type Image struct {
	ID              ID              `json:"id"`
	Filename        string          `json:"filename"`     // base name, at most 255 bytes
	ContentType     string          `json:"content_type"` // decided by magic bytes
	Size            int64           `json:"size"`         // bytes
	SHA256          string          `json:"sha256"`       // lower-case hex
	Width           int             `json:"width"`        // pixels after EXIF orientation; 0 until read
	Height          int             `json:"height"`
	UploadedBy      string          `json:"uploaded_by"`
	CreatedAt       Time            `json:"created_at"`
	DeletedAt       Time            `json:"deleted_at" nullable:"true"` // null while live
	Metadata        json.RawMessage `json:"metadata"`                   // a JSON object
	AnnotationCount int64           `json:"annotation_count"`
	Version         int64           `json:"version"` // batches accepted so far
}

// MaxFilename is the longest file name kept, in bytes.
const MaxFilename = 255
