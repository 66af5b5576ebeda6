package amqp

import "fmt"

// Descriptors of performatives, SASL frames, message sections, and the few
// composite types a broker meets (amqp-core-transport 2.7, -messaging 3,
// -security 5.3.3).
const (
	OpenType        = 0x10
	BeginType       = 0x11
	AttachType      = 0x12
	FlowType        = 0x13
	TransferType    = 0x14
	DispositionType = 0x15
	DetachType      = 0x16
	EndType         = 0x17
	CloseType       = 0x18

	ErrorType    = 0x1d
	AcceptedType = 0x24
	RejectedType = 0x25
	SourceType   = 0x28
	TargetType   = 0x29

	SASLMechanismsType = 0x40
	SASLInitType       = 0x41
	SASLOutcomeType    = 0x44

	HeaderSection                = 0x70
	DeliveryAnnotationsSection   = 0x71
	MessageAnnotationsSection    = 0x72
	PropertiesSection            = 0x73
	ApplicationPropertiesSection = 0x74
	DataSection                  = 0x75
	SequenceSection              = 0x76
	ValueSection                 = 0x77
	FooterSection                = 0x78
)

var symbolicDescriptors = map[string]uint64{
	"amqp:open:list":                  OpenType,
	"amqp:begin:list":                 BeginType,
	"amqp:attach:list":                AttachType,
	"amqp:flow:list":                  FlowType,
	"amqp:transfer:list":              TransferType,
	"amqp:disposition:list":           DispositionType,
	"amqp:detach:list":                DetachType,
	"amqp:end:list":                   EndType,
	"amqp:close:list":                 CloseType,
	"amqp:error:list":                 ErrorType,
	"amqp:source:list":                SourceType,
	"amqp:target:list":                TargetType,
	"amqp:sasl-init:list":             SASLInitType,
	"amqp:header:list":                HeaderSection,
	"amqp:delivery-annotations:map":   DeliveryAnnotationsSection,
	"amqp:message-annotations:map":    MessageAnnotationsSection,
	"amqp:properties:list":            PropertiesSection,
	"amqp:application-properties:map": ApplicationPropertiesSection,
	"amqp:data:binary":                DataSection,
	"amqp:amqp-sequence:list":         SequenceSection,
	"amqp:amqp-value:*":               ValueSection,
	"amqp:footer:map":                 FooterSection,
}

// Open begins a connection.
type Open struct {
	ContainerID, Hostname string
	MaxFrameSize          uint32
	ChannelMax            uint16
	IdleTimeout           uint32 // milliseconds, 0 for none
}

// Begin begins a session.
type Begin struct {
	NextOutgoingID, IncomingWindow, OutgoingWindow, HandleMax uint32
}

// Attach attaches a link. Source and Target are encoded values or nil.
type Attach struct {
	Name           string
	Handle         uint32
	Receiver       bool // the peer's role
	SenderSettle   uint8
	ReceiverSettle uint8
	Source, Target []byte
	DeliveryCount  uint32
	MaxMessageSize uint64
	Properties     Map
}

// Flow updates a session's windows and, with a handle, a link's credit.
type Flow struct {
	NextIncomingID uint32
	HasNextID      bool
	IncomingWindow uint32
	NextOutgoingID uint32
	OutgoingWindow uint32
	Handle         uint32
	HasHandle      bool
	DeliveryCount  uint32
	HasCount       bool
	Credit         uint32
	HasCredit      bool
	Drain, Echo    bool
}

// Transfer carries a message or a part of it.
type Transfer struct {
	Handle                 uint32
	DeliveryID             uint32
	HasID                  bool
	Format                 uint32
	Settled, More, Aborted bool
	Payload                []byte
}

// Disposition tells the fate of deliveries.
type Disposition struct {
	Receiver    bool
	First, Last uint32
	Settled     bool
	State       []byte
}

// Detach detaches a link. Error is an encoded value or nil.
type Detach struct {
	Handle uint32
	Closed bool
	Error  []byte
}

// Performative splits a frame's body into its type, its fields, and the
// payload behind them, which only transfers have.
func Performative(body []byte) (kind uint64, f Fields, payload []byte, err error) {
	kind, value, err := Described(body)
	if err != nil {
		return 0, Fields{}, nil, err
	}
	elements, n, rest, err := compound(value, codeList8, codeList32)
	if err != nil {
		return 0, Fields{}, nil, err
	}
	return kind, Fields{b: elements, n: n}, rest, nil
}

// Composite reads a described list such as a source, a target or an error.
func Composite(b []byte, want uint64) (Fields, error) {
	kind, f, _, err := Performative(b)
	if err == nil && kind != want {
		err = fmt.Errorf("amqp: type %#x where %#x is due", kind, want)
	}
	return f, err
}

// DecodeOpen reads an open performative.
func DecodeOpen(f Fields) (Open, error) {
	o := Open{ContainerID: f.String(), Hostname: f.String()}
	o.MaxFrameSize = f.Uint(1<<32 - 1)
	o.ChannelMax = uint16(min(f.Uint(65535), 65535))
	o.IdleTimeout = f.Uint(0)
	return o, f.err
}

// DecodeBegin reads a begin performative.
func DecodeBegin(f Fields) (Begin, error) {
	f.Skip() // remote-channel: only in an answer
	b := Begin{NextOutgoingID: f.Uint(0), IncomingWindow: f.Uint(0), OutgoingWindow: f.Uint(0)}
	b.HandleMax = f.Uint(1<<32 - 1)
	return b, f.err
}

// DecodeAttach reads an attach performative.
func DecodeAttach(f Fields) (Attach, error) {
	a := Attach{Name: f.String(), Handle: f.Uint(0), Receiver: f.Bool(),
		SenderSettle: uint8(f.Uint(2)), ReceiverSettle: uint8(f.Uint(0)),
		Source: f.Raw(), Target: f.Raw()}
	f.Skip() // unsettled
	f.Skip() // incomplete-unsettled
	a.DeliveryCount = f.Uint(0)
	a.MaxMessageSize = f.Ulong(0)
	f.Skip() // offered-capabilities
	f.Skip() // desired-capabilities
	a.Properties = f.Map()
	return a, f.err
}

// DecodeFlow reads a flow performative.
func DecodeFlow(f Fields) (Flow, error) {
	var w Flow
	w.NextIncomingID, w.HasNextID = f.OptionalUint()
	w.IncomingWindow, w.NextOutgoingID, w.OutgoingWindow = f.Uint(0), f.Uint(0), f.Uint(0)
	w.Handle, w.HasHandle = f.OptionalUint()
	w.DeliveryCount, w.HasCount = f.OptionalUint()
	w.Credit, w.HasCredit = f.OptionalUint()
	f.Skip() // available
	w.Drain, w.Echo = f.Bool(), f.Bool()
	return w, f.err
}

// DecodeTransfer reads a transfer performative with its payload.
func DecodeTransfer(f Fields, payload []byte) (Transfer, error) {
	t := Transfer{Handle: f.Uint(0), Payload: payload}
	t.DeliveryID, t.HasID = f.OptionalUint()
	f.Skip() // delivery-tag
	t.Format = f.Uint(0)
	t.Settled, t.More = f.Bool(), f.Bool()
	f.Skip() // rcv-settle-mode
	f.Skip() // state
	f.Skip() // resume
	t.Aborted = f.Bool()
	return t, f.err
}

// DecodeDisposition reads a disposition performative.
func DecodeDisposition(f Fields) (Disposition, error) {
	d := Disposition{Receiver: f.Bool(), First: f.Uint(0)}
	d.Last = f.Uint(d.First)
	d.Settled, d.State = f.Bool(), f.Raw()
	return d, f.err
}

// DecodeDetach reads a detach performative.
func DecodeDetach(f Fields) (Detach, error) {
	d := Detach{Handle: f.Uint(0), Closed: f.Bool(), Error: f.Raw()}
	return d, f.err
}
