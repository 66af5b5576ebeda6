package detectors

import (
	"strings"
	"testing"
	"time"
)

func TestOnlyAnAcceptedValueIsRight(t *testing.T) {
	words := map[verdict]string{nothing: "-", right: "right", wrong: "wrong", undecided: "undecided"}
	for _, test := range []struct{ name, told, want string }{ // HOURS:VALUE …
		{"the first is confirmed by nobody, nor when it is told again", "0:a 1:a 100:a", "undecided undecided -"},
		{"back at once", "0:a 1:b 2:a", "undecided wrong right"},
		{"back long after", "0:a 1:b 2000:a", "undecided wrong right"},
		{"another way is no way back", "0:a 1:b 2:c 3:b", "undecided wrong wrong wrong"},
		{"set again while it is wrong", "0:a 1:b 72:b 73:b", "undecided wrong wrong -"},
		{"what stood for three days is accepted, when it is replaced", "0:a 1:b 73:c 74:b 75:a", "undecided wrong wrong right right"},
		{"what stood for less is not", "0:a 1:b 72:c 73:b", "undecided wrong wrong wrong"},
		{"right again, and told again", "0:a 1:b 2:a 3:a 200:a", "undecided wrong right right right"},
		{"a beginning that is set again may go on differently", "0:a... 1:b... 2:a... 3:a... 4:a... 5:b...", "undecided wrong right undecided undecided wrong"},
		{"the beginning of what is wrong stays wrong, then may be another", "0:a 1:b... 2:b... 200:b...", "undecided wrong wrong undecided"},
	} {
		s := new(tenure)
		var got []string
		for told := range strings.FieldsSeq(test.told) {
			hours, value, _ := strings.Cut(told, ":")
			after, err := time.ParseDuration(hours + "h")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, words[s.tell(value, time.Unix(0, 0).Add(after))])
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%s: %s: got %s, want %s", test.name, test.told, s, test.want)
		}
	}
}

func TestReplacedValueIsWeakUntilItIsBack(t *testing.T) {
	e := engineOf(t, nil, memoryRule(`
      ca: {field: param.CA, weak: replaced, unconfirmed: low}
      other: {field: param.Other, weak: replaced}
`))
	expect(t, played(t, e,
		exchange(1, "Set-Thing", "x", "CA", "a", "Other", "p"),
		exchange(2, "Set-Thing", "x", "CA", "b"),
		exchange(3, "Set-Thing", "x", "Other", "q"),
		exchange(4, "Set-Thing", "y", "CA", "a"), // another subject
		exchange(6, "Set-Thing", "x", "CA", "a", "Other", "q"),
		exchange(5, "Set-Thing", "x", "CA", "c"), // late: what came after is judged anew
	),
		"1 weakened low x -ca, unconfirmed +",
		"2 weakened high x -ca +",
		"3 weakened high x -other +",
		"4 weakened low y -ca, unconfirmed +",
		"6 weakened high x -other +ca",
		"5 weakened high x -ca +", "6 weakened high x -other +ca",
	)
}

func TestAReplacedValueIsRememberedForLong(t *testing.T) {
	e := engineOf(t, nil, memoryRule(`
      ca: {field: param.CA, weak: replaced}
`))
	month := func(record, month string) string { return strings.Replace(record, "2026-03", "2026-"+month, 1) }
	expect(t, played(t, e,
		month(exchange(1, "Set-Thing", "x", "CA", "a"), "03"),
		month(exchange(2, "Set-Thing", "x", "CA", "b"), "04"),
		month(exchange(3, "Set-Thing", "x", "CA", "b"), "08"),
		month(exchange(4, "Set-Thing", "x", "CA", "a"), "12"),
	),
		"2 weakened high x -ca +", "3 restored high x - +none", "4 restored high x - +ca")
}
