package amqp

import (
	"fmt"
	"math"
)

// Fields reads the fields of a composite one after another. Fields that are
// absent at the end or null read as their default. The first error sticks
// and is reported by the decoder that reads them.
type Fields struct {
	b   []byte
	n   int
	err error
}

// Err is the first error met while reading.
func (f *Fields) Err() error { return f.err }

// Raw is the next field as encoded, nil if it is not set.
func (f *Fields) Raw() []byte {
	if f.n == 0 || f.err != nil {
		return nil
	}
	f.n--
	value, rest, err := Split(f.b)
	if err != nil {
		f.err = err
		return nil
	}
	f.b = rest
	if value[0] == codeNull {
		return nil
	}
	return value
}

// Skip passes over the next field.
func (f *Fields) Skip() { f.Raw() }

func (f *Fields) next() (code byte, data []byte, ok bool) {
	raw := f.Raw()
	if raw == nil {
		return 0, nil, false
	}
	code, data, _, err := primitive(raw)
	if err != nil {
		f.err = err
		return 0, nil, false
	}
	return code, data, true
}

func (f *Fields) mistyped(code byte) {
	if f.err == nil {
		f.err = fmt.Errorf("amqp: field of unexpected type %#02x", code)
	}
}

// Ulong is the next field, any unsigned type.
func (f *Fields) Ulong(def uint64) uint64 {
	code, data, ok := f.next()
	if !ok {
		return def
	}
	v, ok := unsigned(code, data)
	if !ok {
		f.mistyped(code)
	}
	return v
}

// Uint is the next field, any unsigned type that fits.
func (f *Fields) Uint(def uint32) uint32 {
	v := f.Ulong(uint64(def))
	if v > math.MaxUint32 {
		f.mistyped(codeUlong)
	}
	return uint32(v)
}

// OptionalUint is the next field and whether it is set.
func (f *Fields) OptionalUint() (uint32, bool) {
	const unset = math.MaxUint64
	v := f.Ulong(unset)
	if v == unset {
		return 0, false
	}
	return uint32(v), true
}

// Bool is the next field, false if it is not set.
func (f *Fields) Bool() bool {
	code, data, ok := f.next()
	if !ok {
		return false
	}
	v, ok := boolean(code, data)
	if !ok {
		f.mistyped(code)
	}
	return v
}

// String is the next field, a string or symbol, "" if it is not set.
func (f *Fields) String() string {
	code, data, ok := f.next()
	if !ok {
		return ""
	}
	switch code {
	case codeString8, codeString32, codeSymbol8, codeSymbol32:
		return string(data)
	}
	f.mistyped(code)
	return ""
}

// Map is the next field, nil if it is not set.
func (f *Fields) Map() Map {
	raw := f.Raw()
	if raw == nil {
		return nil
	}
	v, _, err := Decode(raw)
	if err != nil && f.err == nil {
		f.err = err
	}
	m, ok := v.(Map)
	if err == nil && !ok {
		f.mistyped(raw[0])
	}
	return m
}
