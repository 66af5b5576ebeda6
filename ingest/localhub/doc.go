// Package localhub is an Event Hubs namespace in one process: an AMQP 1.0
// server that any Event Hubs SDK can send to and receive from, unchanged. It
// is what `phiwatch hub` and `phiwatch demo` run, what tests send through, and
// what rule authors try their rules against.
//
// It speaks plain TCP (what the SDKs call the development emulator) or TLS,
// checks shared access signatures as the service does, and keeps events in
// memory, bounded by bytes for each partition. It has consumer groups, owner
// levels, start positions, batches, partition keys and hub properties.
// It has no capture, no schema registry, no Kafka or HTTP endpoint, and no
// disk: a hub that stops has forgotten everything, and refuses positions of its
// former life as the service does those of a hub that was made anew. A token's
// expiry is checked when a link attaches, not while it lasts.
//
// Faults makes the hub fail on purpose, in the ways that the service fails.
//
// The protocol is AMQP 1.0 (OASIS); what the service adds to it is described
// in Microsoft's "AMQP 1.0 in Azure Service Bus and Event Hubs protocol guide"
// and visible in what the SDKs ask for.
package localhub
