// Package ledger keeps every forecast that was given and, once it is known,
// what became of it.
//
// The ledger is append-only. A forecast is one entry, its score is another that
// comes later; nothing is changed in place. Each entry's hash covers its content
// and the hash of the entry before it, so that an entry that was changed, removed
// or put in later shows: Verify names the first one. What was forecast is written
// when it is given and never after its window has ended; history is not filled in.
//
// Start with Keeper, which brings a ledger up to date after a training: it
// records the forecasts of the versions that went into service, scores those
// whose outcome is known, and renames a snapshot, ledger.csv, into the data
// folder. The service reads that file alone.
//
// Entries live in SQLite, or in PostgreSQL; Open chooses by URL. The schema has
// versions: an older one is brought up to date, a newer one is refused.
// docs/ledger.md describes tables, snapshot and hashes.
package ledger
