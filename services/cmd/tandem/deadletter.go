package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/user"

	"tandem/services/demo"
	"tandem/services/internal/problem"
	"tandem/services/tools/deadletter"
)

type deadletterCmd struct {
	List    deadListCmd    `cmd:"" help:"List the dead letters with their reasons and their rides."`
	Show    deadShowCmd    `cmd:"" help:"Show all there is of one: its body, its attributes, its ride's history."`
	Redrive deadRedriveCmd `cmd:"" help:"Send one back to its queue, or with --all all of a queue."`
	Discard deadDiscardCmd `cmd:"" help:"Delete one, and say why."`
	Cancel  deadCancelCmd  `cmd:"" help:"Stop a redrive of all. What was moved stays moved."`
	Acts    deadActsCmd    `cmd:"" help:"List who did what to dead letters, and why."`
}

// deadletters has what every subcommand of deadletter needs.
type deadletters struct{ operating }

// with calls use with a tool on the running demo, or on what the flags name.
func (c deadletters) with(ctx context.Context, use func(*deadletter.Tool) error) error {
	url, where, err := c.site()
	if err != nil {
		return err
	}

	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	tool, done, err := deadletter.Open(ctx, deadletter.Config{DatabaseURL: url, AWS: where, Log: log})
	if err != nil {
		return err
	}
	defer done()
	err = use(tool)

	// A problem's sentence is for people; its code is for programs. Its field is a flag.
	var p *problem.Error
	if errors.As(err, &p) && p.Detail != "" {
		if p.Field != "" {
			return fmt.Errorf("--%s: %s", p.Field, p.Detail)
		}
		if p.Err != nil {
			return fmt.Errorf("%s (%w)", p.Detail, p.Err)
		}
		return errors.New(p.Detail)
	}
	return err
}

// command is a deadletter.Command. A database's URL has a password, and is not repeated.
func (c deadletters) command(sub string) string {
	out := demo.ShellWord(os.Args[0]) + " deadletter " + sub
	if c.Data != "" && os.Getenv("TANDEM_DATA") == "" {
		out += " --data " + demo.ShellWord(c.Data)
	}
	return out
}

// acting has the flag that says who acts.
type acting struct {
	By string `help:"Who you are, for the table of acts (default: the name of this operating system's user). It is not verified."`
}

func (a acting) by(why string) deadletter.By {
	who := a.By
	if u, err := user.Current(); who == "" && err == nil {
		who = u.Username
	}
	return deadletter.By{Who: who, Why: why}
}

// letterArgs name one dead letter.
type letterArgs struct {
	Place string `arg:"" help:"Where it is: ride-requests-dlq, notifications-dlq.fifo or outbox."`
	ID    string `arg:"" help:"Its id, as list prints it."`
}

type deadListCmd struct {
	deadletters
	Place string `arg:"" optional:"" help:"ride-requests-dlq, notifications-dlq.fifo or outbox (default: all)."`
}

func (c deadListCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(t *deadletter.Tool) error { return t.PrintList(ctx, os.Stdout, c.Place, c.command, c.JSON) })
}

type deadShowCmd struct {
	deadletters
	letterArgs
}

func (c deadShowCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(t *deadletter.Tool) error {
		d, err := t.Show(ctx, c.Place, c.ID)
		if err != nil {
			return err
		}
		return d.Print(os.Stdout, c.command, c.JSON)
	})
}

type deadRedriveCmd struct {
	deadletters
	acting
	Place string `arg:"" help:"Where it is: ride-requests-dlq, notifications-dlq.fifo or outbox."`
	ID    string `arg:"" optional:"" help:"Its id, as list prints it."`
	All   bool   `help:"All of the queue, by SQS itself."`
	Rate  int    `default:"10" help:"With --all: how many a second, 1 to 500."`
	Why   string `help:"Why, for the table of acts."`
}

func (c deadRedriveCmd) Run(ctx context.Context) error {
	if c.All == (c.ID != "") {
		return fmt.Errorf("name one id, as %s prints it, or --all", c.command("list "+c.Place))
	}

	return c.with(ctx, func(t *deadletter.Tool) error {
		if c.ID != "" {
			return printAct(c.JSON)(t.Redrive(ctx, c.Place, c.ID, c.by(c.Why)))
		}
		if err := printAct(c.JSON)(t.RedriveAll(ctx, c.Place, c.Rate, c.by(c.Why))); err != nil {
			return err
		}
		return t.Follow(ctx, os.Stderr, c.Place)
	})
}

type deadDiscardCmd struct {
	deadletters
	acting
	letterArgs
	Why string `required:"" help:"Why, in 3 to 500 characters, for the table of acts."`
}

func (c deadDiscardCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(t *deadletter.Tool) error {
		return printAct(c.JSON)(t.Discard(ctx, c.Place, c.ID, c.by(c.Why)))
	})
}

type deadCancelCmd struct {
	deadletters
	acting
	Place string `arg:"" help:"ride-requests-dlq or notifications-dlq.fifo."`
	Why   string `help:"Why, for the table of acts."`
}

func (c deadCancelCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(t *deadletter.Tool) error { return printAct(c.JSON)(t.Cancel(ctx, c.Place, c.by(c.Why))) })
}

type deadActsCmd struct {
	deadletters
	Limit int `default:"50" help:"At most so many, the newest (1 to 200)."`
}

func (c deadActsCmd) Run(ctx context.Context) error {
	if c.Limit < 1 || c.Limit > deadletter.MostActs {
		return fmt.Errorf("--limit: it is a number from 1 to %d", deadletter.MostActs)
	}
	return c.with(ctx, func(t *deadletter.Tool) error {
		acts, err := t.Acts(ctx, 0, c.Limit)
		if err != nil {
			return err
		}
		return deadletter.PrintActs(os.Stdout, acts, c.JSON)
	})
}

// printAct returns a function that prints an act that was done.
func printAct(asJSON bool) func(deadletter.Act, error) error {
	return func(a deadletter.Act, err error) error {
		if err != nil {
			return err
		}
		return a.Print(os.Stdout, asJSON)
	}
}
