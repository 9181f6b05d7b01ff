package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"tandem/services/domain/event"
	"tandem/services/internal/problem"
	"tandem/services/tools/erase"
)

type eraseCmd struct {
	Driver eraseDriverCmd `cmd:"" help:"Erase all points of a driver that have arrived up to now, so that no reader brings them back."`
}

type eraseDriverCmd struct {
	running
	acting
	ID          string `arg:"" help:"The driver's id."`
	Yes         bool   `help:"Do not ask for the id again."`
	Why         string `help:"Why, for the table of acts."`
	DatabaseURL string `help:"Postgres (default: the running demo's)."`
	JSON        bool   `name:"json" help:"Print the act as JSON."`
}

func (c eraseDriverCmd) Run(ctx context.Context) error { return c.run(ctx, os.Stdin, os.Stderr) }

func (c eraseDriverCmd) run(ctx context.Context, in io.Reader, ask io.Writer) error {
	if !event.ValidID(c.ID) {
		return errors.New("no driver has this id: one has 1 to 64 of A-Z a-z 0-9 _ and -")
	}
	if err := c.confirm(in, ask); err != nil {
		return err
	}

	url := c.DatabaseURL
	if url == "" {
		run, err := c.find()
		if err != nil {
			return err
		}
		url = run.DatabaseURL
	}
	pool, err := erase.Open(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()

	act, err := erase.Driver(ctx, pool, c.ID, c.by(c.Why))
	if p := (*problem.Error)(nil); errors.As(err, &p) && p.Field != "" {
		return fmt.Errorf("--%s: %s", p.Field, p.Detail)
	}
	return printAct(c.JSON)(act, err)
}

// confirm returns nil once the id was typed again, or --yes was said.
func (c eraseDriverCmd) confirm(in io.Reader, ask io.Writer) error {
	if c.Yes {
		return nil
	}

	if _, err := fmt.Fprintf(ask, "All points of driver %s are erased for good. Type its id to go on: ", c.ID); err != nil {
		return err
	}
	// An input that ends answers nothing, which is not the id.
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if strings.TrimSpace(line) != c.ID {
		return errors.New("that is not the id: nothing was erased. A script says --yes")
	}
	return nil
}
