package document

import "encoding/base64"

const guidLen = 36

// plainGUID returns the GUID of which text is the base64 form, as the
// compliance centre logs identities (of the UTF-8 or UTF-16 text); v itself if
// it is something else.
func (d *Document) plainGUID(v Value) Value {
	if v.Kind != String || len(v.Text) != 2*guidLen*4/3 && len(v.Text) != guidLen*4/3 {
		return v
	}
	var buf [2 * guidLen]byte
	n, err := base64.StdEncoding.Decode(buf[:], bytesOf(v.Text))
	if err != nil {
		return v
	}
	b := buf[:n]
	if n == 2*guidLen {
		for i := range guidLen {
			if b[2*i+1] != 0 {
				return v
			}
			b[i] = b[2*i]
		}
		b = b[:guidLen]
	}
	if !isGUID(b) {
		return v
	}
	return Value{String, d.keep(b)}
}

func isGUID(b []byte) bool {
	for i, c := range b {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if hexDigit(c) < 0 {
				return false
			}
		}
	}
	return len(b) == guidLen
}
