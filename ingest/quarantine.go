package ingest

// Reason says why a record could not be decoded. The set is closed and is the
// label of phiwatch_quarantined_total.
type Reason string

// The reasons.
const (
	NotJSON   Reason = "not-json"  // not JSON, and not one of the known kinds of damage
	Truncated Reason = "truncated" // JSON that ends too early, an array of records that is not closed included
	TooLarge  Reason = "too-large" // over 8 MiB after decompression
	TooDeep   Reason = "too-deep"  // nested deeper than 256
	BadGzip   Reason = "bad-gzip"  // begins as gzip but does not decompress
	Empty     Reason = "empty"     // a body without a byte but white space
	Crashed   Reason = "crashed"   // it made a rule or the decoder panic: a bug of phiwatch, to be reported
)

// Reasons returns every reason, for pre-created metrics.
func Reasons() []Reason {
	return []Reason{NotJSON, Truncated, TooLarge, TooDeep, BadGzip, Empty, Crashed}
}

// Quarantined is a record (or a whole message) that could not be decoded.
type Quarantined struct {
	Position Position
	Index    int    // of the record in its message, or -1 for the whole message
	Reason   Reason //
	Detail   string // what was wrong and where, for a person
	Bytes    []byte // as delivered (after decompression when that worked)
}
