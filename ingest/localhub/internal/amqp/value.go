package amqp

import (
	"encoding/binary"
	"math"
	"time"
)

// Decode reads the next value of b and returns what follows it. Integers
// come as int64 or uint64, floats as float64, strings and symbols as string,
// timestamps as time.Time in UTC, binary and UUIDs as []byte, lists as []any,
// maps as Map. A described value reads as the value it describes. Arrays,
// decimals and characters come as Raw: nothing here needs to look into them.
func Decode(b []byte) (v any, rest []byte, err error) { return decode(b, 0) }

// Raw is a value left as it is on the wire, constructor included.
type Raw []byte

// Map holds the entries of a map whose keys are strings or symbols; entries
// with other keys are left out.
type Map map[string]any

// String is the entry's value if that is a string, else "".
func (m Map) String(key string) string {
	s, _ := m[key].(string)
	return s
}

func decode(b []byte, depth int) (any, []byte, error) {
	if depth > maxDepth {
		return nil, nil, errDepth
	}
	if len(b) > 0 && b[0] == codeDescribed {
		_, value, err := Described(b)
		if err != nil {
			return nil, nil, err
		}
		return decode(value, depth+1)
	}
	code, data, rest, err := primitive(b)
	if err != nil {
		return nil, nil, err
	}
	switch code {
	case codeList0, codeList8, codeList32:
		return decodeList(b, depth)
	case codeMap8, codeMap32:
		return decodeMap(b, depth)
	}
	return scalar(code, data, b[:len(b)-len(rest)]), rest, nil
}

func decodeList(b []byte, depth int) (any, []byte, error) {
	elements, n, rest, err := compound(b, codeList8, codeList32)
	if err != nil {
		return nil, nil, err
	}
	list := make([]any, 0, min(n, 64))
	for range n {
		var v any
		if v, elements, err = decode(elements, depth+1); err != nil {
			return nil, nil, err
		}
		list = append(list, v)
	}
	return list, rest, nil
}

func decodeMap(b []byte, depth int) (any, []byte, error) {
	elements, n, rest, err := compound(b, codeMap8, codeMap32)
	if err != nil {
		return nil, nil, err
	}
	m := make(Map, min(n/2, 64))
	for range n / 2 {
		var k, v any
		if k, elements, err = decode(elements, depth+1); err != nil {
			return nil, nil, err
		}
		if v, elements, err = decode(elements, depth+1); err != nil {
			return nil, nil, err
		}
		if key, ok := k.(string); ok {
			m[key] = v
		}
	}
	return m, rest, nil
}

func scalar(code byte, data, whole []byte) any {
	if n, ok := unsigned(code, data); ok {
		return n
	}
	if v, ok := boolean(code, data); ok {
		return v
	}
	switch code {
	case codeNull:
		return nil
	case codeByte, codeSmallInt, codeSmallLong:
		return int64(int8(data[0]))
	case codeShort:
		return int64(int16(binary.BigEndian.Uint16(data)))
	case codeInt:
		return int64(int32(binary.BigEndian.Uint32(data)))
	case codeLong:
		return int64(binary.BigEndian.Uint64(data))
	case codeFloat:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(data)))
	case codeDouble:
		return math.Float64frombits(binary.BigEndian.Uint64(data))
	case codeTimestamp:
		return time.UnixMilli(int64(binary.BigEndian.Uint64(data))).UTC()
	case codeString8, codeString32, codeSymbol8, codeSymbol32:
		return string(data)
	case codeBinary8, codeBinary32, codeUUID:
		return data
	}
	return Raw(whole)
}

// Entries calls visit with each entry of an encoded map: its key if that is a
// string or symbol, else "", and both as encoded.
func Entries(b []byte, visit func(name string, key, value []byte)) error {
	elements, n, _, err := compound(b, codeMap8, codeMap32)
	if err != nil {
		return err
	}
	for range n / 2 {
		var key, value []byte
		if key, elements, err = Split(elements); err != nil {
			return err
		}
		if value, elements, err = Split(elements); err != nil {
			return err
		}
		name := ""
		switch code, data, _, err := primitive(key); {
		case err != nil: // a described key
		case code == codeString8, code == codeString32, code == codeSymbol8, code == codeSymbol32:
			name = string(data)
		}
		visit(name, key, value)
	}
	return nil
}
