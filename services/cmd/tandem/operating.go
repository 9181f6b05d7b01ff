package main

import "tandem/services/internal/awsclient"

// operating has the flags of the tools by which a person acts on queues and readers:
// those of the running demo, or of the database and the AWS that are named.
type operating struct {
	running
	messaging
	DatabaseURL string `help:"Postgres (default: the running demo's)."`
	JSON        bool   `name:"json" help:"Print JSON."`
}

// Validate replaces messaging's: a running demo's run file says where its AWS is,
// so the flags are needed only for another database.
func (c operating) Validate() error {
	if c.DatabaseURL == "" {
		return nil
	}
	return c.messaging.Validate()
}

// site returns where the database and AWS are.
func (c operating) site() (databaseURL string, where awsclient.Config, err error) {
	if c.DatabaseURL != "" {
		return c.DatabaseURL, c.aws(), nil
	}
	run, err := c.find()
	if err != nil {
		return "", where, err
	}
	return run.DatabaseURL, awsOf(run), nil
}
