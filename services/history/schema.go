package history

import (
	"embed"
	"io/fs"

	"tandem/services/internal/postgres"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Schema is the schema history with its migrations.
func Schema() postgres.Schema {
	root, err := fs.Sub(migrations, "migrations")
	if err != nil { // the path is a constant that embed has checked
		panic(err)
	}
	return postgres.Schema{Name: "history", FS: root}
}
