package amqp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDecodeReadsEveryEncoding: examples by hand from amqp-core-types 1.6.
func TestDecodeReadsEveryEncoding(t *testing.T) {
	for _, tt := range []struct {
		name, hex string
		want      any
	}{
		{"null", "40", nil},
		{"true", "41", true},
		{"false in a byte", "56 00", false},
		{"uint0", "43", uint64(0)},
		{"smalluint", "52 ff", uint64(255)},
		{"uint", "70 00 01 00 00", uint64(65536)},
		{"ushort", "60 12 34", uint64(0x1234)},
		{"ubyte", "50 07", uint64(7)},
		{"smallulong", "53 10", uint64(16)},
		{"ulong", "80 ff ff ff ff ff ff ff ff", uint64(math.MaxUint64)},
		{"byte", "51 ff", int64(-1)},
		{"short", "61 ff fe", int64(-2)},
		{"smallint", "54 fd", int64(-3)},
		{"int", "71 ff ff ff fc", int64(-4)},
		{"smalllong", "55 fb", int64(-5)},
		{"long", "81 80 00 00 00 00 00 00 00", int64(math.MinInt64)},
		{"float", "72 3f c0 00 00", 1.5},
		{"double", "82 3f f8 00 00 00 00 00 00", 1.5},
		{"timestamp", "83 00 00 00 00 00 00 03 e8", time.Unix(1, 0).UTC()},
		{"string", "a1 02 68 69", "hi"},
		{"long string", "b1 00 00 00 02 68 69", "hi"},
		{"symbol", "a3 02 68 69", "hi"},
		{"binary", "a0 02 01 02", []byte{1, 2}},
		{"list0", "45", []any{}},
		{"list", "c0 04 02 41 53 01", []any{true, uint64(1)}},
		{"map", "c1 06 02 a1 01 6b 52 05", Map{"k": uint64(5)}},
		{"map with a foreign key", "c1 05 02 52 01 52 05", Map{}},
		{"described", "00 53 70 a1 01 78", "x"},
		{"array", "e0 04 02 52 01 02", Raw(unhex(t, "e0 04 02 52 01 02"))},
		{"decimal", "74 01 02 03 04", Raw(unhex(t, "74 01 02 03 04"))},
	} {
		got, rest, err := Decode(append(unhex(t, tt.hex), 0x41))
		if err != nil || !bytes.Equal(rest, []byte{0x41}) {
			t.Errorf("%s: rest % x, %v", tt.name, rest, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestDecodeRefusesWhatCannotBe(t *testing.T) {
	for name, in := range map[string]string{
		"nothing":                         "",
		"cut integer":                     "70 00 01",
		"cut string":                      "a1 05 68",
		"cut size":                        "b1 00 00",
		"size beyond the input":           "b1 ff ff ff ff 00",
		"more elements than bytes":        "d0 00 00 00 05 ff ff ff ff 40",
		"element beyond its list":         "c0 02 01 a1",
		"reserved code":                   "10",
		"descriptor without value":        "00 53 70",
		"list without a count":            "c0 00",
		"descriptor that is a string":     "00 a1 01 78 40",
		"descriptors without end":         strings.Repeat("00 53 01", 100) + "40",
		"lists within lists beyond depth": strings.Repeat("c0 7f 01", 40) + strings.Repeat("40", 200),
	} {
		if v, _, err := Decode(unhex(t, in)); err == nil {
			t.Errorf("%s: %v", name, v)
		}
	}
	if _, _, err := Split(unhex(t, strings.Repeat("00 53 01", 100)+"40")); !errors.Is(err, errDepth) {
		t.Errorf("split of nested descriptors: %v", err)
	}
}

func TestEncodedValuesDecode(t *testing.T) {
	long := strings.Repeat("x", 300)
	at := time.UnixMilli(1767261600123).UTC()
	var e Encoder
	e.List(func() {
		e.Null()
		e.Bool(true)
		e.Bool(false)
		e.Ubyte(1)
		e.Ushort(2)
		e.Uint(0)
		e.Uint(200)
		e.Uint(70000)
		e.Ulong(0)
		e.Ulong(200)
		e.Ulong(1 << 40)
		e.Int(-1)
		e.Long(-2)
		e.Double(2.5)
		e.Timestamp(at)
		e.String("s")
		e.String(long)
		e.StringBytes([]byte("t"))
		e.Symbol("sym")
		e.Binary([]byte{9})
		e.Raw(nil)
		e.Map(func() { e.String("k"); e.List(func() {}) })
		e.Composite(ErrorType, func() { e.Symbol("amqp:not-found") })
	})
	want := []any{nil, true, false, uint64(1), uint64(2), uint64(0), uint64(200), uint64(70000), uint64(0), uint64(200),
		uint64(1 << 40), int64(-1), int64(-2), 2.5, at, "s", long, "t", "sym", []byte{9}, nil,
		Map{"k": []any{}}, []any{"amqp:not-found"}}
	got, rest, err := Decode(e.Buf)
	if err != nil || len(rest) > 0 {
		t.Fatal(rest, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestArraysHaveOneConstructor(t *testing.T) {
	var e Encoder
	e.Strings([]string{"0", "1"})
	want := unhex(t, "f0 00 00 00 0f 00 00 00 02 b1 00 00 00 01 30 00 00 00 01 31")
	if !bytes.Equal(e.Buf, want) {
		t.Errorf("got  % x\nwant % x", e.Buf, want)
	}
	e = Encoder{}
	e.Symbols("AB")
	if want := unhex(t, "f0 00 00 00 08 00 00 00 01 a3 02 41 42"); !bytes.Equal(e.Buf, want) {
		t.Errorf("got  % x\nwant % x", e.Buf, want)
	}
}

func TestTransferFrameReadsBack(t *testing.T) {
	for _, first := range []bool{true, false} {
		for _, id := range []uint32{0, 200, math.MaxUint32} {
			b := AppendTransfer([]byte("before"), 258, 70_000, id, first, true, true, []byte("payload"))[6:]
			h, err := ParseHeader(b, 1<<16)
			if err != nil || int(h.Size) != len(b) || h.Channel != 258 {
				t.Fatal(h, err)
			}
			if over := len(b) - len("payload"); over > TransferOverhead {
				t.Errorf("overhead of %d bytes", over)
			}
			kind, f, payload, err := Performative(b[h.Offset:])
			if err != nil || kind != TransferType {
				t.Fatal(kind, err)
			}
			got, err := DecodeTransfer(f, payload)
			if err != nil {
				t.Fatal(err)
			}
			want := Transfer{Handle: 70_000, Settled: true, More: true, Payload: []byte("payload")}
			if first {
				want.DeliveryID, want.HasID = id, true
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		}
	}
}

func TestSymbolicDescriptorsReadAsNumbers(t *testing.T) {
	name := "amqp:open:list"
	b := append([]byte{codeDescribed, codeSymbol8, byte(len(name))}, name...)
	kind, _, _, err := Performative(append(b, codeList0))
	if err != nil || kind != OpenType {
		t.Errorf("got %#x, %v", kind, err)
	}
}

func TestAbsentFieldsReadAsDefaults(t *testing.T) {
	var e Encoder
	e.Composite(OpenType, func() { e.String("id") })
	_, f, _, err := Performative(e.Buf)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeOpen(f)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Open{ContainerID: "id", MaxFrameSize: math.MaxUint32, ChannelMax: 65535}, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzPerformative: no bytes make the decoders panic or allocate much.
func FuzzPerformative(f *testing.F) {
	add := func(kind uint64, fields func(e *Encoder)) {
		var e Encoder
		e.Composite(kind, func() { fields(&e) })
		f.Add(e.Buf)
	}
	add(OpenType, func(e *Encoder) { e.String("c"); e.String("h"); e.Uint(65536); e.Ushort(9); e.Uint(1000) })
	add(BeginType, func(e *Encoder) { e.Null(); e.Uint(0); e.Uint(100); e.Uint(100); e.Uint(255) })
	add(AttachType, func(e *Encoder) {
		e.String("n")
		e.Uint(0)
		e.Bool(true)
		e.Null()
		e.Null()
		e.Composite(SourceType, func() { e.String("a") })
		e.Composite(TargetType, func() { e.String("b") })
		e.Null()
		e.Null()
		e.Null()
		e.Null()
		e.Null()
		e.Symbols("cap")
		e.Map(func() { e.Symbol("com.microsoft:epoch"); e.Long(1) })
	})
	add(FlowType, func(e *Encoder) {
		e.Uint(0)
		e.Uint(1)
		e.Uint(2)
		e.Uint(3)
		e.Uint(0)
		e.Uint(0)
		e.Uint(9)
	})
	add(DispositionType, func(e *Encoder) {
		e.Bool(true)
		e.Uint(1)
		e.Null()
		e.Bool(true)
		e.Composite(AcceptedType, func() {})
	})
	add(DetachType, func(e *Encoder) { e.Uint(0); e.Bool(true); e.Composite(ErrorType, func() { e.Symbol("x") }) })
	f.Add(AppendTransfer(nil, 0, 1, 2, true, false, false, []byte("p"))[HeaderSize:])
	f.Add([]byte{0xd0, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x40})
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, rest, err := Decode(b); err == nil {
			if whole, after, err := Split(b); err != nil || len(after) != len(rest) || len(whole)+len(after) != len(b) {
				t.Errorf("decoded %v but split into %d and %d of %d bytes: %v", v, len(whole), len(after), len(b), err)
			}
		}
		Entries(b, func(string, []byte, []byte) {})
		_, fields, payload, err := Performative(b)
		if err != nil {
			return
		}
		DecodeOpen(fields)
		DecodeBegin(fields)
		DecodeAttach(fields)
		DecodeFlow(fields)
		DecodeTransfer(fields, payload)
		DecodeDisposition(fields)
		DecodeDetach(fields)
	})
}
