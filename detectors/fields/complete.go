package fields

import (
	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// complete tells what a Conditional Access policy leaves nothing out of, as it was and
// as it is, changed or not:
//
//	reached.<list>.before   "everybody" if it is of all users and spares none but those of
//	                        the list, "all sign-ins" if no condition keeps it from some
//	reached.<list>.after    likewise, after the change
type complete struct {
	users reach
	now   bool
}

func newComplete(list []string, now bool) *complete {
	return &complete{reach{among: &sorts[0], list: list}, now}
}

func (c *complete) inputs() []*document.Path {
	return append(c.users.inputs(), (&narrow{}).inputs()...)
}

func (c *complete) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	policy := policyBefore
	if c.now {
		policy = policyNow
	}
	if !isObject(ev, policy) {
		return dst
	}
	if c.users.total(ev, c.now) {
		dst = append(dst, sigma.Value{Kind: sigma.String, Text: "everybody"})
	}
	if !narrowed(ev, c.now) {
		dst = append(dst, sigma.Value{Kind: sigma.String, Text: "all sign-ins"})
	}
	return dst
}
