package main

import (
	"errors"

	"tandem/services/demo/runfile"
	"tandem/services/domain/profile"
	"tandem/services/internal/awsclient"
)

// tools has a field for each subcommand that runs, prints and ends.
type tools struct {
	Audit auditCmd `cmd:"" group:"tools" help:"Prove the guarantees on the data that exist."`
	Feed  feedCmd  `cmd:"" group:"tools" help:"Send a recording to the public API."`

	Deadletter deadletterCmd `cmd:"" group:"tools" help:"Look at dead letters, send them back or discard them."`

	Reader readerCmd `cmd:"" group:"tools" help:"Look at the stream's durable readers; pause, resume, send back, let them pass a record."`

	Autoscale autoscaleCmd `cmd:"" group:"tools" help:"Look at how many workers the queue wants: live, recorded or simulated."`

	Env envCmd `cmd:"" group:"tools" help:"Print what a shell exports so that AWS's tools, psql and curl find the demo: eval \"$(bin/tandem env)\"."`

	Messaging messagingCmd `cmd:"" group:"tools" help:"Deploy queues and stream on LocalStack or AWS, or delete them."`

	Replay replayCmd `cmd:"" group:"tools" help:"Read a span of the stream again, and make a reader's rows what the stream says."`

	Erase eraseCmd `cmd:"" group:"tools" help:"Erase a driver's points."`

	Reshard reshardCmd `cmd:"" group:"tools" help:"Split, merge or scale the stream's shards while it is in use."`
}

// running has the flag by which a tool finds the demo that it works on.
type running struct {
	Data string `type:"path" help:"The demo's data folder (default: in the user's cache folder)."`
}

// find returns the demo on the data folder that was named, or else the first
// that runs on a backend's default folder.
func (r running) find() (runfile.Run, error) {
	if r.Data != "" {
		return runfile.Read(r.Data)
	}

	for _, backend := range []string{profile.Emulator, profile.LocalStack, profile.AWS} {
		dir, err := runfile.DefaultDir(backend)
		if err != nil {
			return runfile.Run{}, err
		}

		run, err := runfile.Read(dir)
		// A file that cannot be read is an error and not a reason to take another demo.
		if err == nil || !errors.Is(err, runfile.ErrNotRunning) {
			return run, err
		}
	}

	return runfile.Run{}, runfile.ErrNotRunning
}

// awsOf returns where the AWS of a running demo is.
func awsOf(run runfile.Run) awsclient.Config {
	return messaging{Backend: run.Backend, AWSEndpoint: run.AWSEndpoint, AWSRegion: run.AWSRegion}.aws()
}
