package main

import "tandem/services/internal/runfile"

// tools has a field for each subcommand that runs, prints and ends.
type tools struct {
	Audit auditCmd `cmd:"" group:"tools" help:"Prove the guarantees on what is there."`
	Feed  feedCmd  `cmd:"" group:"tools" help:"Send a recording through the front doors."`

	Messaging messagingCmd `cmd:"" group:"tools" help:"Deploy queues and stream on LocalStack or AWS, or delete them."`
}

// running is how a tool finds what it works on: the demo on a data folder.
type running struct {
	Data string `type:"path" help:"The demo's data folder (default: in the user's cache folder)."`
}

func (r running) find() (runfile.Run, error) {
	dir := r.Data
	if dir == "" {
		var err error
		if dir, err = runfile.DefaultDir(); err != nil {
			return runfile.Run{}, err
		}
	}
	return runfile.Read(dir)
}
