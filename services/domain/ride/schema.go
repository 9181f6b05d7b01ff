package ride

import (
	"embed"
	"io/fs"

	"tandem/services/internal/postgres"
	"tandem/services/internal/queue/outbox"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Schema is the ride schema, which this package owns.
func Schema() postgres.Schema {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return postgres.Schema{Name: "ride", FS: sub}
}

// Queues that rides send to.
const (
	QueueRequests      = "ride-requests"
	QueueNotifications = "notifications.fifo"
)

// Outbox is the table that the relay sends from.
func Outbox() outbox.Box { return outbox.New("ride", "outbox") }

// RelayLock is the advisory lock of Outbox's relay.
const RelayLock = 7266_4001
