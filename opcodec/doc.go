// Package opcodec turns op frames from JSON into ops, and annotations and
// batches into JSON. A WebSocket frame and a REST body are read by the same
// rules, and everyone is sent the same bytes.
//
// Reading is strict. What is not JSON, has duplicate or unknown keys, invalid
// UTF-8, trailing bytes or values of a wrong type is CodeBadRequest; a missing
// field or a value that breaks a rule is CodeInvalid, with a detail for each
// place, such as "ops[3].annotation.x". Rules that need the annotation as it is,
// such as whether a patch leaves the box inside the image, are package canvas'.
//
// All functions are pure and safe for concurrent use.
package opcodec
