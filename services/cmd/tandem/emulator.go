package main

import (
	"context"

	"tandem/services/emulator"
	"tandem/services/internal/lifecycle"
)

type emulatorCmd struct {
	serving
	EmulatorData string `type:"path" help:"Folder for journals and segments; empty keeps everything in memory."`
}

func (c emulatorCmd) Run(ctx context.Context) error {
	return c.serve(ctx, "emulator", func(ctx context.Context, env lifecycle.Env) error {
		cfg := emulator.Default()
		cfg.DataDir = c.EmulatorData
		return emulator.Run(ctx, env, cfg)
	})
}
