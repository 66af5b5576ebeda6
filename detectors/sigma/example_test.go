package sigma_test

import (
	"fmt"

	"phiwatch/detectors/sigma"
)

// flat is an event whose fields are texts.
type flat struct {
	fields *sigma.Fields
	texts  map[string]string
}

func (e flat) Values(slot int) []sigma.Value {
	text, ok := e.texts[e.fields.Names()[slot]]
	if !ok {
		return nil
	}
	return []sigma.Value{{Kind: sigma.String, Text: text}}
}

func (e flat) Keywords(yield func(string) bool) {
	for _, text := range e.texts {
		if !yield(text) {
			return
		}
	}
}

func Example() {
	docs, err := sigma.Parse("mfa.yml", []byte(`
title: MFA switched off
logsource: {product: azure, service: auditlogs}
detection:
  selection:
    operation: Disable Strong Authentication
    actor|endswith: '@example.org'
  trusted:
    actor|expand: '%admins%'
  condition: selection and not trusted
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fields := &sigma.Fields{}
	m, err := sigma.Compile(docs[0].(*sigma.Rule).Detection, sigma.Options{
		Fields:       fields,
		Placeholders: map[string][]string{"admins": {"adm_*"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ev := flat{fields, map[string]string{"operation": "disable strong authentication", "actor": "jo@example.org"}}
	fmt.Println(m.Match(ev))
	fmt.Print(m.Explain(ev))
	// Output:
	// true
	// yes and
	// yes   selection (line 5)
	// yes     operation: 'Disable Strong Authentication' (line 6) has "disable strong authentication"
	// yes     actor|endswith: '@example.org' (line 7) has "jo@example.org"
	// yes   not
	// no      trusted (line 8)
	// no        actor|expand: '%admins%' (line 9) has "jo@example.org"
}

// A mistake says where it is and what would be right.
func ExampleParse_mistakes() {
	_, err := sigma.Parse("rule.yml", []byte(`title: Example
logsource: {product: azure}
detection:
  selection:
    operation|contain: Disable
    address|cidr: 203.0.113
  condition: selction
`))
	fmt.Println(err.Error()[:70] + "…")
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap()[1:] {
		fmt.Println(e)
	}
	// Output:
	// rule.yml:5:5: operation|contain: modifier "contain" is not one of Sigm…
	// rule.yml:6:19: address|cidr: "203.0.113" is not a network: write it like 192.0.2.0/24 or 2001:db8::/32
	// rule.yml:7:14: condition: search "selction" is not defined; did you mean "selection"?
}
