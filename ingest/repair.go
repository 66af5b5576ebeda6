package ingest

// Repair is a set of repairs made on a damaged payload. The zero value is none.
type Repair uint8

// The repairs, each damage that Azure is known to do.
const (
	RepairedQuotes      Repair = 1 << iota // single quotes instead of double ones (platform logs)
	RepairedLineBreaks                     // raw control characters inside a string
	RepairedJoined                         // records joined without a comma or a line break
	RepairedEscapes                        // a backslash that begins no JSON escape (file paths)
	RepairedInnerQuotes                    // unescaped double quotes inside a string (Parameters, ExtendedProperties)
)
