package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"syscall"
	"time"
)

// options are the command's flags.
type options struct {
	pattern string
	quick   bool
	list    bool
	jobs    int
	timeout time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.pattern, "run", "", "only mutants whose `pattern` matches name or file")
	flag.BoolVar(&o.quick, "quick", false, "only a subset of a few minutes")
	flag.BoolVar(&o.list, "list", false, "print the table and plant nothing")
	flag.IntVar(&o.jobs, "j", runtime.NumCPU(), "how many mutants at once")
	flag.DurationVar(&o.timeout, "timeout", 2*time.Minute, "a mutant whose tests take longer counts as caught: they hang")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	chosen, err := choose(table(), o)
	if err != nil {
		return err
	}

	// Texts are looked for before the first mutant is run, so that one which has
	// moved is told at once; and those of the whole table where only the quick ones
	// are run, so that CI tells of each.
	looked := chosen
	if o.pattern == "" {
		looked = table()
	}
	var missing error
	for _, m := range looked {
		_, err := m.plant(root)
		missing = errors.Join(missing, err)
	}
	if missing != nil {
		return missing
	}

	if o.list {
		for _, m := range chosen {
			fmt.Printf("%-90s %s\n", m.name, m.file)
		}
		return nil
	}

	if o.quick {
		fmt.Printf("the quick subset: %d of %d mutants\n", len(chosen), len(table()))
	}
	r := runner{root: root, timeout: o.timeout, say: func(line string) { fmt.Println(line) }}
	if err := r.baseline(ctx, chosen); err != nil {
		return err
	}
	return r.all(ctx, chosen, o.jobs)
}

// choose returns the rows that the flags name.
func choose(all []mutant, o options) (out []mutant, err error) {
	pattern, err := regexp.Compile(o.pattern)
	if err != nil {
		return nil, err
	}

	for _, m := range all {
		if (pattern.MatchString(m.name) || pattern.MatchString(m.file)) && (m.quick || !o.quick) {
			out = append(out, m)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no mutant matches")
	}
	return out, nil
}
