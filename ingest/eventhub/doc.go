// Package eventhub reads Azure Event Hubs: an ingest.Source over several hubs
// at once, each with the SDK's Processor, so that replicas share partitions.
//
// Ownership and positions live in the state database. The position is written
// by whoever decides a batch, in the transaction that decides it; this package
// only reads it, to know where to start. It is the only package that imports
// the messaging SDK.
package eventhub
