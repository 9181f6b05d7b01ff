package postgres

import (
	"context"
	"time"
)

// MigrateWithin is Migrate with less patience.
func MigrateWithin(ctx context.Context, url string, lock, within time.Duration, schemas ...Schema) error {
	return migrate(ctx, url, patience{lock: lock, pause: lock, within: within}, schemas...)
}
