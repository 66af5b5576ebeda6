package amqp

import (
	"encoding/binary"
	"fmt"
)

// FrameType tells AMQP frames from those of the SASL exchange before them.
type FrameType byte

// Frame types (amqp-core-transport 2.3.1, amqp-core-security 5.3.1).
const (
	FrameAMQP FrameType = 0
	FrameSASL FrameType = 1
)

// HeaderSize is the length of a frame's fixed header.
const HeaderSize = 8

// MinMaxFrameSize is the smallest maximum frame size that a peer may announce.
const MinMaxFrameSize = 512

// Header is a frame's fixed header.
type Header struct {
	Size    uint32 // of the whole frame
	Offset  uint32 // of the body within it
	Type    FrameType
	Channel uint16
}

// ParseHeader reads the header at the start of b, which holds at least
// HeaderSize bytes. The sizes it returns are consistent and within limit.
func ParseHeader(b []byte, limit uint32) (Header, error) {
	_ = b[HeaderSize-1]
	h := Header{
		Size:    binary.BigEndian.Uint32(b),
		Offset:  uint32(b[4]) * 4,
		Type:    FrameType(b[5]),
		Channel: binary.BigEndian.Uint16(b[6:]),
	}
	if h.Offset < HeaderSize || h.Size < h.Offset {
		return h, fmt.Errorf("amqp: malformed frame header % x", b[:HeaderSize])
	}
	if h.Size > limit {
		return h, fmt.Errorf("amqp: frame of %d bytes, at most %d are taken", h.Size, limit)
	}
	return h, nil
}

// AppendFrame appends a frame whose body fill encodes.
func AppendFrame(b []byte, t FrameType, channel uint16, fill func(e *Encoder)) []byte {
	start := len(b)
	e := Encoder{Buf: append(b, 0, 0, 0, 0, 2, byte(t), byte(channel>>8), byte(channel))}
	fill(&e)
	binary.BigEndian.PutUint32(e.Buf[start:], uint32(len(e.Buf)-start))
	return e.Buf
}

// AppendEmptyFrame appends the frame without a body that keeps an idle
// connection alive.
func AppendEmptyFrame(b []byte) []byte {
	return append(b, 0, 0, 0, HeaderSize, 2, byte(FrameAMQP), 0, 0)
}

// TransferOverhead is the most that AppendTransfer adds to its payload.
const TransferOverhead = 48

// AppendTransfer appends a transfer frame. The first frame of a delivery
// carries its id, tag and format, later ones only the rest of its payload.
// It is written out by hand because a drained partition is made of these.
func AppendTransfer(b []byte, channel uint16, handle, id uint32, first, settled, more bool, payload []byte) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0, 2, byte(FrameAMQP), byte(channel>>8), byte(channel),
		codeDescribed, codeSmallUlong, byte(TransferType), codeList8, 0, 6)
	list := len(b) - 2
	b = appendUint(b, handle)
	if first {
		b = appendUint(b, id)
		b = append(b, codeBinary8, 4, byte(id>>24), byte(id>>16), byte(id>>8), byte(id))
		b = appendUint(b, 0)
	} else {
		b = append(b, codeNull, codeNull, codeNull)
	}
	b = append(b, boolCode(settled), boolCode(more))
	b[list] = byte(len(b) - list - 1)
	b = append(b, payload...)
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start))
	return b
}

func boolCode(v bool) byte {
	if v {
		return codeTrue
	}
	return codeFalse
}
