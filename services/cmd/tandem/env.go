package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"tandem/services/demo/runfile"
	"tandem/services/domain/profile"
)

type envCmd struct{ running }

func (c envCmd) Run() error {
	run, err := c.find()
	if err != nil {
		return err
	}
	return printEnv(os.Stdout, run)
}

// printEnv prints what a shell exports so that AWS's SDKs and CLI and curl find a demo.
// Its database is not among it: a demo that is started in such a shell would take
// DATABASE_URL for a Postgres of the reader's own. Of AWS itself it says the region alone:
// whose credentials are used there is for the reader's own configuration to say.
func printEnv(w io.Writer, run runfile.Run) error {
	all := [][2]string{{"TANDEM_URL", run.Gateway}}

	region := run.AWSRegion
	if run.Backend != profile.AWS {
		// The values that awsclient has for an endpoint: no real key is sent there.
		all = append(all, [][2]string{{"AWS_ENDPOINT_URL", run.AWSEndpoint}, {"AWS_ACCESS_KEY_ID", "test"}, {"AWS_SECRET_ACCESS_KEY", "test"}}...)
		if region == "" {
			region = "us-east-1"
		}
	}
	if region != "" {
		all = append(all, [][2]string{{"AWS_REGION", region}, {"AWS_DEFAULT_REGION", region}}...) // version 1 of the CLI knows the second
	}

	// A profile or a session's token that the shell already has is of another account.
	if run.Backend != profile.AWS {
		if _, err := fmt.Fprintln(w, "unset AWS_PROFILE AWS_SESSION_TOKEN"); err != nil {
			return err
		}
	}
	for _, v := range all {
		if _, err := fmt.Fprintf(w, "export %s='%s'\n", v[0], strings.ReplaceAll(v[1], "'", `'\''`)); err != nil {
			return err
		}
	}
	return nil
}
