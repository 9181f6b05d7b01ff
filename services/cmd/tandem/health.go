package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// healthWithin bounds the request; /readyz allows each of its checks two seconds.
const healthWithin = 4 * time.Second

// healthcheckCmd is what a container's health check runs, because the image has
// no shell and no curl.
type healthcheckCmd struct {
	URL string `arg:"" default:"http://127.0.0.1:8080/readyz" help:"The URL that must answer 200."`
}

func (c healthcheckCmd) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthWithin)
	defer cancel()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}

	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()

	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}

	if resp.StatusCode != http.StatusOK {
		// The body names the check that fails, and docker inspect shows it.
		return fmt.Errorf("healthcheck: %s: %s", resp.Status, strings.TrimSpace(string(body)))
	}
	return nil
}
