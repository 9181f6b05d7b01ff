package outbox

// Lock returns the advisory lock of the table's relay, for tests that end its
// session.
func (b Box) Lock() int64 { return b.lock }
