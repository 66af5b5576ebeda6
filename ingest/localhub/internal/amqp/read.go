package amqp

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Format codes of the primitive types used here (amqp-core-types 1.6).
const (
	codeDescribed  = 0x00
	codeNull       = 0x40
	codeTrue       = 0x41
	codeFalse      = 0x42
	codeUint0      = 0x43
	codeUlong0     = 0x44
	codeList0      = 0x45
	codeUbyte      = 0x50
	codeByte       = 0x51
	codeSmallUint  = 0x52
	codeSmallUlong = 0x53
	codeSmallInt   = 0x54
	codeSmallLong  = 0x55
	codeBool       = 0x56
	codeUshort     = 0x60
	codeShort      = 0x61
	codeUint       = 0x70
	codeInt        = 0x71
	codeFloat      = 0x72
	codeUlong      = 0x80
	codeLong       = 0x81
	codeDouble     = 0x82
	codeTimestamp  = 0x83
	codeUUID       = 0x98
	codeBinary8    = 0xa0
	codeString8    = 0xa1
	codeSymbol8    = 0xa3
	codeBinary32   = 0xb0
	codeString32   = 0xb1
	codeSymbol32   = 0xb3
	codeList8      = 0xc0
	codeMap8       = 0xc1
	codeList32     = 0xd0
	codeMap32      = 0xd1
	codeArray8     = 0xe0
	codeArray32    = 0xf0
)

// maxDepth bounds described values within described values and compounds
// within compounds. Real peers need three.
const maxDepth = 16

var (
	errShort = errors.New("amqp: value reaches beyond its frame")
	errDepth = errors.New("amqp: value nested too deep")
)

// primitive splits the next value off b: its format code, its data without
// the constructor and size prefix, and what follows. A described value is
// not a primitive and is an error. The width of a value follows from the
// upper half of its code, so unknown codes can be skipped too.
func primitive(b []byte) (code byte, data, rest []byte, err error) {
	if len(b) == 0 {
		return 0, nil, nil, errShort
	}
	code, b = b[0], b[1:]
	width, err := width(code, b)
	if err != nil {
		return code, nil, nil, err
	}
	prefix := 0
	switch code >> 4 {
	case 0xa, 0xc, 0xe:
		prefix = 1
	case 0xb, 0xd, 0xf:
		prefix = 4
	}
	if width > len(b)-prefix {
		return code, nil, nil, errShort
	}
	b = b[prefix:]
	return code, b[:width:width], b[width:], nil
}

// width is the length of the data of a value with the given code, without
// its size prefix, which is at the start of b.
func width(code byte, b []byte) (int, error) {
	switch code >> 4 {
	case 0x4:
		return 0, nil
	case 0x5, 0x6, 0x7, 0x8, 0x9:
		return 1 << (code>>4 - 5), nil
	case 0xa, 0xc, 0xe:
		if len(b) < 1 {
			return 0, errShort
		}
		return int(b[0]), nil
	case 0xb, 0xd, 0xf:
		if len(b) < 4 {
			return 0, errShort
		}
		n := binary.BigEndian.Uint32(b)
		if uint64(n) > uint64(len(b)) {
			return 0, errShort
		}
		return int(n), nil
	}
	return 0, fmt.Errorf("amqp: unknown format code %#02x", code)
}

// Split splits the next value, described or not, off b without looking into it.
func Split(b []byte) (value, rest []byte, err error) {
	rest = b
	for depth := 0; len(rest) > 0 && rest[0] == codeDescribed; depth++ {
		if depth == maxDepth {
			return nil, nil, errDepth
		}
		if _, _, rest, err = primitive(rest[1:]); err != nil {
			return nil, nil, err
		}
	}
	if _, _, rest, err = primitive(rest); err != nil {
		return nil, nil, err
	}
	return b[:len(b)-len(rest)], rest, nil
}

// Described splits the descriptor off a described value: a section, a
// performative, a filter. Symbolic descriptors that AMQP itself defines read
// as their number; others as 0, which AMQP reserves.
func Described(b []byte) (descriptor uint64, value []byte, err error) {
	if len(b) == 0 || b[0] != codeDescribed {
		return 0, nil, errors.New("amqp: value without a descriptor")
	}
	code, data, rest, err := primitive(b[1:])
	if err != nil {
		return 0, nil, err
	}
	switch code {
	case codeSymbol8, codeSymbol32:
		return symbolicDescriptors[string(data)], rest, nil
	}
	n, ok := unsigned(code, data)
	if !ok {
		return 0, nil, fmt.Errorf("amqp: descriptor of type %#02x", code)
	}
	return n, rest, nil
}

// compound opens a list or a map: the encoded elements and their number, and
// what follows.
func compound(b []byte, small, large byte) (elements []byte, n int, rest []byte, err error) {
	code, data, rest, err := primitive(b)
	if err != nil {
		return nil, 0, nil, err
	}
	var count uint32
	switch {
	case code == codeList0 && small == codeList8:
		return nil, 0, rest, nil
	case code == small && len(data) >= 1:
		count, data = uint32(data[0]), data[1:]
	case code == large && len(data) >= 4:
		count, data = binary.BigEndian.Uint32(data), data[4:]
	default:
		return nil, 0, nil, fmt.Errorf("amqp: type %#02x where a list or map is due", code)
	}
	if uint64(count) > uint64(len(data)) { // every element has at least its constructor
		return nil, 0, nil, errShort
	}
	return data, int(count), rest, nil
}

func unsigned(code byte, data []byte) (uint64, bool) {
	switch code {
	case codeUint0, codeUlong0:
		return 0, true
	case codeUbyte, codeSmallUint, codeSmallUlong:
		return uint64(data[0]), true
	case codeUshort:
		return uint64(binary.BigEndian.Uint16(data)), true
	case codeUint:
		return uint64(binary.BigEndian.Uint32(data)), true
	case codeUlong:
		return binary.BigEndian.Uint64(data), true
	}
	return 0, false
}

func boolean(code byte, data []byte) (value, ok bool) {
	switch code {
	case codeTrue:
		return true, true
	case codeFalse:
		return false, true
	case codeBool:
		return data[0] != 0, true
	}
	return false, false
}
