// Package alerting turns findings into what people deal with. The Ledger keeps
// one violation for each tenant, entry and subject, open from the event that
// weakened a safeguard to the event that restored it, whatever the order in
// which the events arrive. Routes name the receivers that hear of a violation;
// a Dispatcher brings each receiver to the present state of its groups, across
// crashes and outages, telling each change once.
//
// All state is in one SQL database. What a batch of findings changes in the
// ledger and what is owed to receivers because of it commit together, in the
// caller's transaction.
package alerting
