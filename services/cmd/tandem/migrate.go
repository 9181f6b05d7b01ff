package main

import (
	"context"

	"tandem/services/domain/ride"
	"tandem/services/gateway"
	"tandem/services/heatmap"
	"tandem/services/history"
	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/notification"
	"tandem/services/speeding"
	"tandem/services/tools/deadletter"
)

// schemas returns all schemas of Tandem; each has one package that owns it.
func schemas() []postgres.Schema {
	return append(ride.Schemas(),
		gateway.Schema(), notification.Schema(), history.Schema(), heatmap.Schema(), speeding.Schema(), deadletter.Schema(),
		postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()},
	)
}

type migrateCmd struct {
	DatabaseURL string `required:"" env:"TANDEM_DATABASE_URL,DATABASE_URL" help:"Postgres: postgres://user:password@host:5432/name."`
}

func (c migrateCmd) Run(ctx context.Context) error {
	return postgres.Migrate(ctx, c.DatabaseURL, schemas()...)
}
