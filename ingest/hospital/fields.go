package hospital

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Tenant is the hospital's tenant id, Domain its mail domain.
const (
	Tenant = "5b1d0000-7a11-4c3e-9d2f-00c0ffee0001"
	Domain = "stbrigid.example.org"
)

// The staff are everybody with one of the first and one of the last names.
var (
	firstNames = []string{
		"Aoife", "Tomás", "Ngozi", "Priya", "Lars", "Maya", "Chen", "Rosa", "Ibrahim", "Saoirse", "Jonas", "Amara", "Yuki", "Elena",
		"Samuel", "Hannah", "Kofi", "Leila", "Oisin", "Greta", "Victor", "Zoe", "Mateo", "Ingrid",
	}
	lastNames = []string{
		"Brennan", "Keane", "Okafor", "Raman", "Lindqvist", "Goldberg", "Wei", "Delgado", "Haddad", "Nolan", "Weber", "Diallo", "Tanaka",
		"Petrova", "Adeyemi", "Fischer", "Mensah", "Rahimi", "Murphy", "Holm", "Almeida", "Laurent", "Rojas", "Dahl",
	}
	staff = len(firstNames) * len(lastNames)
)

func name(person int) string {
	return firstNames[person%len(firstNames)] + " " + lastNames[person/len(firstNames)]
}

var (
	apps      = []string{"Office 365 Exchange Online", "Microsoft Teams", "Office 365 SharePoint Online", "St. Brigid Ward Board", "OpenChart EHR", "Azure Portal"}
	agents    = []string{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15"}
	wards     = []string{"cardiology", "oncology", "radiology", "maternity", "emergency", "pharmacy", "pathology", "billing"}
	documents = []string{"shift-rota.xlsx", "discharge-summary.docx", "ward-round.docx", "imaging-report.pdf", "stock-list.xlsx", "teaching-slides.pptx"}
	cities    = []string{"Galway", "Limerick", "Cork", "Dublin", "Sligo"}
)

// cast is who and what appears in one record.
type cast struct {
	at          time.Time
	user, other int
	app, ward   int
	agent, doc  int
	city, octet int
	guids       [4]string // {{guid.1}} … stay the same within a record
}

func (c *cast) choose(rng *rand.Rand, at time.Time) {
	*c = cast{
		at: at.UTC(), user: rng.IntN(staff), other: rng.IntN(staff), app: rng.IntN(len(apps)), ward: rng.IntN(len(wards)),
		agent: rng.IntN(len(agents)), doc: rng.IntN(len(documents)), city: rng.IntN(len(cities)),
	}
	c.octet = 1 + (31*c.user+83*rng.IntN(3))%254 // people have a few places, and are elsewhere now and then
	if rng.IntN(25) == 0 {
		c.octet = 1 + rng.IntN(254)
	}
	for i := range c.guids {
		c.guids[i] = guid(rng)
	}
}

// append writes the value of a placeholder. An unknown one is written as it
// stands, which the test of the templates finds.
func (c *cast) append(out []byte, rng *rand.Rand, field string) []byte {
	switch field {
	case "tenant":
		return append(out, Tenant...)
	case "domain":
		return append(out, Domain...)
	case "guid":
		return append(out, guid(rng)...)
	case "guid.1", "guid.2", "guid.3", "guid.4":
		return append(out, c.guids[field[5]-'1']...)
	case "user", "other":
		return append(out, name(c.person(field))...)
	case "user.upn", "other.upn":
		return append(out, upn(name(c.person(field)))...)
	case "user.id", "other.id":
		return append(out, stable("user", c.person(field))...)
	case "app":
		return append(out, apps[c.app]...)
	case "app.id":
		return append(out, stable("app", c.app)...)
	case "ward":
		return append(out, wards[c.ward]...)
	case "WARD":
		return append(out, strings.ToUpper(wards[c.ward])...)
	case "document":
		return append(out, documents[c.doc]...)
	case "agent":
		return append(out, agents[c.agent]...)
	case "city":
		return append(out, cities[c.city]...)
	case "ip":
		return fmt.Appendf(out, "203.0.113.%d", c.octet)
	case "device.id":
		return append(out, stable("device", c.user)...)
	case "number":
		return strconv.AppendInt(out, int64(rng.IntN(1_000_000)), 10)
	case "time": // when the record was written: after the fact
		return c.at.Add(time.Duration(20+c.octet)*time.Second).AppendFormat(out, "2006-01-02T15:04:05.0000000Z")
	case "created":
		return c.at.AppendFormat(out, "2006-01-02T15:04:05.0000000+00:00")
	case "nozone":
		return c.at.AppendFormat(out, "2006-01-02T15:04:05")
	case "us":
		return c.at.AppendFormat(out, "1/2/2006 3:04:05 PM")
	}
	return append(append(append(out, "{{"...), field...), "}}"...)
}

func (c *cast) person(field string) int {
	if strings.HasPrefix(field, "other") {
		return c.other
	}
	return c.user
}

var unaccent = strings.NewReplacer("á", "a", "é", "e", "í", "i", "ó", "o", "ú", "u", " ", ".")

func upn(name string) string { return unaccent.Replace(strings.ToLower(name)) + "@" + Domain }

// stable is an id that belongs to a thing for good.
func stable(what string, n int) string {
	return fmt.Sprintf("%08x-%04x-4000-8000-%012x", n+1, len(what), n+0xabc000)
}

func guid(rng *rand.Rand) string {
	a, b := rng.Uint64(), rng.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>52, b&0xffffffffffff)
}
