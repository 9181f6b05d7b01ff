// Command tandem is all of Tandem in one binary: a subcommand for each service
// and each tool. main picks one, traps signals and exits; the work is done in
// the packages. Only this package reads flags and the environment.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// version is set by the Makefile (-ldflags -X main.version).
var version = "dev"

type cli struct {
	Demo    demoCmd    `cmd:"" group:"run" help:"Run all of Tandem on this machine."`
	Migrate migrateCmd `cmd:"" group:"run" help:"Bring the database's schemas to this build's version."`
	Version versionCmd `cmd:"" group:"run" help:"Print the version."`

	Licences licencesCmd `cmd:"" group:"run" help:"Print the licences of all that is in this binary."`

	Healthcheck healthcheckCmd `cmd:"" group:"run"  help:"Ask a service whether it is ready and exit with 0 or 1, as a container's health check does."`

	services
	tools
}

type versionCmd struct{}

func (versionCmd) Run() error {
	_, err := fmt.Println("tandem", version)
	return err
}

// exitCode is an error that the command has already reported, so main prints
// nothing.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func main() {
	var c cli
	parser := kong.Must(&c, kong.Name("tandem"), kong.UsageOnError(), kong.DefaultEnvars("TANDEM"),
		kong.Description("A ride-sharing reference application: when do you want a queue, and when a stream? Every flag can be set by an environment variable too."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "run", Title: "Run it:"}, {Key: "tools", Title: "Tools (they find the running demo by themselves):"},
			{Key: "services", Title: "Services (each a process of its own):"},
		}))

	k, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)

	ctx, stop := trap()
	defer stop()
	k.BindTo(ctx, (*context.Context)(nil))

	err = k.Run()

	var code exitCode
	switch {
	case errors.As(err, &code):
		os.Exit(int(code))
	case err != nil:
		_, _ = fmt.Fprintln(os.Stderr, "tandem:", err)
		os.Exit(1)
	}
}

// trap returns a context that ends at the first SIGINT, SIGTERM or SIGHUP (the
// terminal was closed; under nohup it is ignored). A second one ends the process
// at once, so that nobody needs kill -9. Signals within a second count as one,
// because a terminal that closes sends several.
func trap() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())

	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}

	go func() {
		<-signals
		cancel()

		for first := time.Now(); time.Since(first) < time.Second; {
			<-signals
		}
		os.Exit(130)
	}()

	return ctx, cancel
}
