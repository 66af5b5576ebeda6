// Package amqp encodes and decodes what an AMQP 1.0 broker needs of the wire
// format (ISO/IEC 19464, OASIS amqp-core-types and amqp-core-transport v1.0):
// frames, performatives, and values.
//
// Decoding works on a frame's bytes in place and copies nothing: whatever a
// decoder returns as []byte aliases its input. It never recurses deeper than
// a fixed bound and never allocates more than a small multiple of its input,
// whatever that input claims about itself.
package amqp
