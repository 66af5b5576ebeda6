package amqp

import (
	"encoding/binary"
	"math"
	"time"
)

// Encoder appends values to Buf. The zero Encoder is ready.
type Encoder struct {
	Buf   []byte
	count int // elements of the innermost open list or map
}

func (e *Encoder) put(b ...byte) {
	e.Buf = append(e.Buf, b...)
	e.count++
}

// Null appends null: a field that is not set.
func (e *Encoder) Null() { e.put(codeNull) }

// Bool appends a boolean.
func (e *Encoder) Bool(v bool) {
	if v {
		e.put(codeTrue)
	} else {
		e.put(codeFalse)
	}
}

// Ubyte appends a ubyte.
func (e *Encoder) Ubyte(v uint8) { e.put(codeUbyte, v) }

// Ushort appends a ushort.
func (e *Encoder) Ushort(v uint16) { e.put(codeUshort, byte(v>>8), byte(v)) }

// Uint appends a uint in its shortest form.
func (e *Encoder) Uint(v uint32) {
	e.Buf = appendUint(e.Buf, v)
	e.count++
}

// Ulong appends a ulong in its shortest form.
func (e *Encoder) Ulong(v uint64) {
	e.count++
	switch {
	case v == 0:
		e.Buf = append(e.Buf, codeUlong0)
	case v < 256:
		e.Buf = append(e.Buf, codeSmallUlong, byte(v))
	default:
		e.Buf = binary.BigEndian.AppendUint64(append(e.Buf, codeUlong), v)
	}
}

// Int appends an int.
func (e *Encoder) Int(v int32) {
	e.Buf = binary.BigEndian.AppendUint32(append(e.Buf, codeInt), uint32(v))
	e.count++
}

// Long appends a long.
func (e *Encoder) Long(v int64) {
	e.Buf = binary.BigEndian.AppendUint64(append(e.Buf, codeLong), uint64(v))
	e.count++
}

// Double appends a double.
func (e *Encoder) Double(v float64) {
	e.Buf = binary.BigEndian.AppendUint64(append(e.Buf, codeDouble), math.Float64bits(v))
	e.count++
}

// Timestamp appends a timestamp; AMQP keeps milliseconds.
func (e *Encoder) Timestamp(t time.Time) {
	e.Buf = binary.BigEndian.AppendUint64(append(e.Buf, codeTimestamp), uint64(t.UnixMilli()))
	e.count++
}

// String appends a string, which must be UTF-8.
func (e *Encoder) String(s string) { variable(e, codeString8, codeString32, s) }

// Symbol appends a symbol, which must be ASCII.
func (e *Encoder) Symbol(s string) { variable(e, codeSymbol8, codeSymbol32, s) }

// Binary appends bytes.
func (e *Encoder) Binary(b []byte) { variable(e, codeBinary8, codeBinary32, b) }

func variable[T string | []byte](e *Encoder, small, large byte, s T) {
	e.count++
	if len(s) < 256 {
		e.Buf = append(e.Buf, small, byte(len(s)))
	} else {
		e.Buf = binary.BigEndian.AppendUint32(append(e.Buf, large), uint32(len(s)))
	}
	e.Buf = append(e.Buf, s...)
}

// Strings appends an array of strings.
func (e *Encoder) Strings(list []string) {
	e.array(codeString32, len(list), func() {
		for _, s := range list {
			e.Buf = append(binary.BigEndian.AppendUint32(e.Buf, uint32(len(s))), s...)
		}
	})
}

// Symbols appends an array of symbols.
func (e *Encoder) Symbols(list ...string) {
	e.array(codeSymbol8, len(list), func() {
		for _, s := range list {
			e.Buf = append(append(e.Buf, byte(len(s))), s...)
		}
	})
}

func (e *Encoder) array(code byte, n int, fill func()) {
	e.Buf = append(e.Buf, codeArray32, 0, 0, 0, 0)
	start := len(e.Buf)
	e.Buf = append(binary.BigEndian.AppendUint32(e.Buf, uint32(n)), code)
	fill()
	binary.BigEndian.PutUint32(e.Buf[start-4:], uint32(len(e.Buf)-start))
	e.count++
}

// Raw appends a value that is already encoded; nil appends null.
func (e *Encoder) Raw(b []byte) {
	if b == nil {
		b = []byte{codeNull}
	}
	e.Buf = append(e.Buf, b...)
	e.count++
}

// Map appends a map whose keys and values fill appends in turn.
func (e *Encoder) Map(fill func()) { e.compound(codeMap32, fill) }

// List appends a list whose elements fill appends.
func (e *Encoder) List(fill func()) { e.compound(codeList32, fill) }

// Composite appends a described list: a performative or a section.
func (e *Encoder) Composite(descriptor uint64, fill func()) {
	e.Descriptor(descriptor)
	e.List(fill)
}

// Descriptor appends the descriptor of the value that is appended next.
func (e *Encoder) Descriptor(d uint64) {
	e.Buf = append(e.Buf, codeDescribed)
	e.Ulong(d)
	e.count--
}

func (e *Encoder) compound(code byte, fill func()) {
	outer := e.count
	e.count = 0
	e.Buf = append(e.Buf, code, 0, 0, 0, 0, 0, 0, 0, 0)
	start := len(e.Buf)
	fill()
	binary.BigEndian.PutUint32(e.Buf[start-8:], uint32(len(e.Buf)-start+4))
	binary.BigEndian.PutUint32(e.Buf[start-4:], uint32(e.count))
	e.count = outer + 1
}

func appendUint(b []byte, v uint32) []byte {
	switch {
	case v == 0:
		return append(b, codeUint0)
	case v < 256:
		return append(b, codeSmallUint, byte(v))
	}
	return binary.BigEndian.AppendUint32(append(b, codeUint), v)
}

// StringBytes appends a string given as bytes.
func (e *Encoder) StringBytes(s []byte) { variable(e, codeString8, codeString32, s) }
