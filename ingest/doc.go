// Package ingest turns messages into events: it is the vocabulary of what comes
// in. A Source (Event Hubs, files) delivers batches of messages; a Decoder
// splits each message into records, classifies them and yields one Event for
// each, or quarantines what cannot be read. Nothing is dropped: every record
// is an Event or a Quarantined.
package ingest
