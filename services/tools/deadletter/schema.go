package deadletter

import (
	"embed"

	"tandem/services/internal/postgres"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Schema returns the schema operations, which this package owns, with its migrations.
func Schema() postgres.Schema { return postgres.Embedded("operations", migrations) }
