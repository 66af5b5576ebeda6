package document

// Kind is the JSON type of a Value.
type Kind byte

// The kinds. The zero Kind is Missing: there is no such value.
const (
	Missing Kind = iota
	Null
	False
	True
	Number
	String
	Object
	Array
)

var kindNames = [...]string{"missing", "null", "false", "true", "number", "string", "object", "array"}

// String returns the kind's name in lower case.
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return "invalid"
	}
	return kindNames[k]
}

// Value is one value of a record. Text is, for String, the unescaped text; for
// Number the literal; for True and False "true" and "false"; for Null and
// Missing ""; for Object and Array the raw JSON. Text may alias the record's
// bytes; it stays valid as long as those are not modified.
type Value struct {
	Kind Kind
	Text string
}

// Scalar reports whether v is a string, number or boolean.
func (v Value) Scalar() bool { return v.Kind >= False && v.Kind <= String }
