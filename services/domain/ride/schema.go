package ride

import (
	"embed"

	"tandem/services/internal/postgres"
	"tandem/services/internal/queue/outbox"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Schema returns the schema ride, which this package owns, with its migrations.
func Schema() postgres.Schema { return postgres.Embedded("ride", migrations) }

// Outbox is the table that the relay sends from.
func Outbox() outbox.Box { return outbox.New("ride", "outbox") }

// RelayLock is the advisory lock of Outbox's relay.
const RelayLock = 7266_4001
