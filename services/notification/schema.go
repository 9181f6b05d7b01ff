package notification

import (
	"embed"

	"tandem/services/internal/postgres"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Schema returns the schema notification, which this package owns, with its migrations.
func Schema() postgres.Schema { return postgres.Embedded("notification", migrations) }
