// Package document reads one JSON record without decoding it: Parse validates
// the bytes in one pass and notes where each value stands; fields are then
// addressed by path, and flat views (modified, param, detail, body) read what
// Azure nests. Nothing is copied that does not have to be, and a Document that
// is parsed again reuses its memory.
package document
