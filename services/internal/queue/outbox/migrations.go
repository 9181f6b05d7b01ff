package outbox

import (
	"embed"
	"io/fs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the table's goose migrations (00001_name.sql, at the root). They
// create the table "outbox" in the first schema of search_path. Where that schema
// has migrations of its own, give these a version table of their own.
func Migrations() fs.FS {
	root, err := fs.Sub(migrations, "migrations")
	if err != nil { // the path is a constant that embed has checked
		panic(err)
	}
	return root
}
