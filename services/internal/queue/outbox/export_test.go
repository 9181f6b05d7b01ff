package outbox

import "context"

// Lock returns the advisory lock of the table's relay, for tests that end its
// session.
func (b Box) Lock() int64 { return b.lock }

// Prune is what Run does each minute.
func (r *Relay) Prune(ctx context.Context) (int64, error) { return r.prune(ctx) }

// Limit sets what a turn takes, for tests of many turns with few rows.
func (r *Relay) Limit(rows, bytes int) { r.turnRows, r.turnBytes = rows, bytes }
