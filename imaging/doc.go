// Package imaging looks at image files that strangers sent: what they are, how
// large they are shown, whether they are whole, how they look small, and how a
// large one is cut into tiles.
//
// It takes nothing on trust. A type is decided by magic bytes, sizes are read
// without decoding pixels, images of more than MaxPixels are refused before
// anything is allocated for them, and only the first frame of an animation is
// ever decoded. No input makes it panic. Widths and heights are those that a
// browser shows: after EXIF orientation.
//
// # Concurrency
//
// Functions have no shared state and start no goroutine. A Thumbnail of an
// image at the limit needs several hundred megabytes for a moment (a
// progressive JPEG most), a Tiler as much until its first level is done: callers
// bound how many run at once. A Tiler is used by one goroutine.
//
// What it does not do: it keeps nothing, and strips nothing from originals;
// thumbnails and tiles carry no metadata because they are encoded anew.
package imaging
