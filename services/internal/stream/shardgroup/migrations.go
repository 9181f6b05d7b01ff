package shardgroup

import (
	"embed"
	"io/fs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// SchemaName is the Postgres schema that all groups of a database share.
const SchemaName = "shardgroup"

// Migrations are the schema's goose migrations (00001_name.sql, at the root).
// The schema itself must exist before the first one runs.
func Migrations() fs.FS {
	root, err := fs.Sub(migrations, "migrations")
	if err != nil { // the path is a constant that embed has checked
		panic(err)
	}
	return root
}
