package fields

import (
	"unsafe"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest/document"
)

// Place says which slots of a walk over the record hold a field's values; none:
// it is read when asked for.
type Place struct {
	Slots []int
	first bool // of several, only the first with a value counts
	said  bool // texts as say has them
}

// Direct returns the slot whose values are the field's as they are, if there is
// one.
func (p *Place) Direct() (slot int, ok bool) {
	if len(p.Slots) != 1 || p.said {
		return 0, false
	}
	return p.Slots[0], true
}

// Whole returns values of the walk where they are, if the field has those of one
// slot and no others.
func (p *Place) Whole(read *document.Fields) ([]sigma.Value, bool) {
	var values []document.Value
	for _, slot := range p.Slots {
		switch more := read.Values(slot); {
		case len(more) == 0:
		case len(values) > 0:
			return nil, false
		default:
			values = more
		}
		if p.first && len(values) > 0 {
			if values[0].Kind <= document.Null {
				return nil, false
			}
			break
		}
	}
	if p.said {
		for i := range values {
			if v := &values[i]; v.Kind != document.String || !plain(v.Text) {
				return nil, false
			}
		}
	}
	return Values(values), len(p.Slots) > 0
}

// Append appends the values that the walk has read.
func (p *Place) Append(dst []sigma.Value, read *document.Fields) []sigma.Value {
	if p.said {
		for _, v := range read.Values(p.Slots[0]) {
			dst = say(dst, v.Text)
		}
		return dst
	}
	for _, slot := range p.Slots {
		var found bool
		if dst, found = appendValues(dst, read.Values(slot)); found && p.first {
			break
		}
	}
	return dst
}

// appendValues reports whether there was one other than null.
func appendValues(dst []sigma.Value, values []document.Value) ([]sigma.Value, bool) {
	found := false
	for _, v := range values {
		found = found || v.Kind > document.Null
		dst = append(dst, sigma.Value{Kind: sigma.Kind(v.Kind), Text: v.Text})
	}
	return dst, found
}

// Values is the same values as sigma calls them: the two types are laid out alike.
func Values(values []document.Value) []sigma.Value {
	return *(*[]sigma.Value)(unsafe.Pointer(&values))
}

// records is the reverse of Values.
func records(values []sigma.Value) []document.Value {
	return *(*[]document.Value)(unsafe.Pointer(&values))
}

// These do not compile if they are not.
var (
	_ [unsafe.Sizeof(sigma.Value{})]struct{}        = [unsafe.Sizeof(document.Value{})]struct{}{}
	_ [unsafe.Offsetof(sigma.Value{}.Text)]struct{} = [unsafe.Offsetof(document.Value{}.Text)]struct{}{}
	_ [sigma.Array]struct{}                         = [document.Array]struct{}{}
	_ [sigma.String]struct{}                        = [document.String]struct{}{}
)
