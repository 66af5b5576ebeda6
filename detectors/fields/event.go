package fields

import (
	"maps"
	"net/netip"
	"slices"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
)

// eventField reads what the decoder made of an event, whatever its kind: by it
// correlations relate events of different logs.
type eventField func(ev *ingest.Event) string

func (f eventField) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	if text := f(ev); text != "" {
		dst = append(dst, sigma.Value{Kind: sigma.String, Text: text})
	}
	return dst
}

// eventFields holds them by name.
var eventFields = map[string]computed{
	"event.actor":     eventField(func(ev *ingest.Event) string { return ev.Actor.Name }),
	"event.actor_id":  eventField(func(ev *ingest.Event) string { return ev.Actor.ID }),
	"event.who":       eventField(who),
	"event.target":    eventField(func(ev *ingest.Event) string { return ev.Target.Name }),
	"event.target_id": eventField(func(ev *ingest.Event) string { return ev.Target.ID }),
	"event.tenant":    eventField(func(ev *ingest.Event) string { return ev.Tenant }),
	"event.outcome":   eventField(func(ev *ingest.Event) string { return ev.Outcome.String() }),
	"event.ip": eventField(func(ev *ingest.Event) string {
		if !ev.IP.IsValid() {
			return ""
		}
		return ev.IP.String()
	}),
	"event.network": networkField{},
}

// networkField is where an event came from.
type networkField struct{}

func (networkField) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	return eventField(func(ev *ingest.Event) string { return network(ev.IP) }).append(dst, ev)
}

// network returns where an address is: itself, or of IPv6, of which devices take
// a new one every day (RFC 8981), the network of 64 bits that a home or a site has.
func network(ip netip.Addr) string {
	if ip = ip.Unmap(); !ip.IsValid() {
		return ""
	}
	if ip.Is4() {
		return ip.String()
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return ip.String()
	}
	return prefix.String()
}

// EventNames lists the fields that every event has, sorted.
func EventNames() []string { return slices.Sorted(maps.Keys(eventFields)) }
