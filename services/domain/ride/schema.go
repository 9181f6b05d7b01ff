package ride

import (
	"embed"

	"tandem/services/internal/postgres"
	"tandem/services/internal/queue/outbox"
)

//go:embed migrations/*.sql
var migrations embed.FS

const schemaName = "ride"

// Schemas returns the schema ride, which this package owns: its own migrations,
// and those of the outbox, which lies in the same schema so that one transaction
// writes a ride and its message.
func Schemas() []postgres.Schema {
	return []postgres.Schema{
		postgres.Embedded(schemaName, migrations),
		{Name: schemaName, FS: outbox.Migrations(), Versions: "outbox_version"},
	}
}

// Outbox is the table that the relay sends from.
func Outbox() outbox.Box { return outbox.New(schemaName, "outbox") }
