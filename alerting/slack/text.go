package slack

import (
	"strings"
	"unicode/utf16"

	"phiwatch/alerting/untrusted"
)

// What Slack takes, in characters (docs.slack.dev: block kit reference, text
// object, chat.update). Characters are counted here as UTF-16 units after
// escaping, the largest of the counts Slack might use. The total over all
// blocks is not documented; posts of 13,300 characters and, with many blocks,
// of 11,400 have been refused as msg_blocks_too_long (slackapi/bolt-js issues
// 2509 and 2867).
const (
	maxHeader   = 150
	maxField    = 2000
	maxSection  = 3000
	maxTotal    = 9000
	maxFallback = 500
)

// The bounds set here, below Slack's, for the sake of the reader.
const (
	maxValue = 240
	maxTitle = 120
	maxStep  = 280
)

// code shows s as inline code, in which Slack interprets nothing: no emphasis,
// no emoji, no link, no mention. Identifiers stay exactly as they can be copied.
func code(s string, max int) string {
	s = strings.ReplaceAll(untrusted.Line(s, max), "`", "ˋ")
	if s == "" {
		return "–"
	}
	return "`" + escape(s, max) + "`"
}

// words shows s as running text outside of code: characters that could begin
// emphasis, an emoji, a URL or a mention are replaced by others that look alike.
func words(s string, max int) string {
	return escape(disarm(untrusted.Line(s, max)), max)
}

var lookalikes = strings.NewReplacer("*", "∗", "_", "＿", "~", "∼", "`", "ˋ", "@", "＠", "#", "＃")

func disarm(s string) string {
	s = lookalikes.Replace(s)
	var b strings.Builder
	for i, r := range s {
		// A colon is left where it ends a word: it opens no emoji and no URL.
		if r == ':' && i+1 < len(s) && s[i+1] != ' ' {
			r = '∶'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// escape writes & < > as entities, which is what keeps <!channel>, <@U…> and
// <url|text> from being markup everywhere in Slack, and cuts at max UTF-16
// units without splitting a character or an entity.
func escape(s string, max int) string {
	var b strings.Builder
	n := 0
	for i, r := range s {
		part := string(r)
		switch r {
		case '&':
			part = "&amp;"
		case '<':
			part = "&lt;"
		case '>':
			part = "&gt;"
		}
		w := units(part)
		if n+w > max || n+w == max && i+len(string(r)) < len(s) {
			b.WriteString(untrusted.Ellipsis)
			break
		}
		b.WriteString(part)
		n += w
	}
	return b.String()
}

// units is the length of s in UTF-16 units.
func units(s string) (n int) {
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}
