package main

import (
	"encoding/base64"
	"errors"
	"fmt"

	"tandem/services/domain/profile"
	"tandem/services/internal/auth"
	"tandem/services/internal/awsclient"
)

// The groups of flags that several subcommands share: each embeds those that it
// needs, so that a service without a database has no flag for one.

type database struct {
	DatabaseURL string `required:"" help:"Postgres: postgres://user:password@host:5432/name."`
}

// messaging is where SQS, Kinesis and SNS are.
type messaging struct {
	Backend     string `default:"emulator" enum:"emulator,localstack,aws" help:"Where SQS, Kinesis and SNS are: emulator, localstack or aws."`
	AWSEndpoint string `name:"aws-endpoint" help:"Base URL of the emulator or LocalStack; AWS needs none."`
	AWSRegion   string `name:"aws-region" help:"AWS region; empty is the SDK's default."`
}

// Validate is called by kong before the command runs.
func (m messaging) Validate() error {
	if m.Backend != profile.AWS && m.AWSEndpoint == "" {
		return fmt.Errorf("--aws-endpoint is needed with the backend %s; for AWS itself name --backend=aws", m.Backend)
	}
	return nil
}

func (m messaging) aws() awsclient.Config {
	return awsclient.Config{Endpoint: m.AWSEndpoint, Region: m.AWSRegion, CredentialChain: m.Backend == profile.AWS}
}

func (m messaging) backend() (profile.Backend, error) { return profile.BackendByName(m.Backend) }

// demoLogin has the flag by which a person agrees that a network's people may
// become operators.
type demoLogin struct {
	OffLoopback bool `name:"demo-login-off-loopback" help:"With --demo-login: whoever reaches this address, from any machine, may become an operator by one click."`
}

type signing struct {
	SigningKey string `required:"" help:"The deployment's key for tokens: base64 of at least 32 bytes."`
}

func (s signing) signer() (*auth.Signer, error) {
	key, err := base64.StdEncoding.DecodeString(s.SigningKey)
	if err != nil {
		return nil, errors.New("the signing key is not base64; make one with: openssl rand -base64 32")
	}
	return auth.NewSigner(key)
}

// catchUp has the flag of the readers that may be far behind.
type catchUp struct {
	CatchUpBytes int `default:"0" help:"How many bytes of one shard to read in a second while behind; 0: all that a shard serves (2 MB), less where others read it too."`
}

type timing struct {
	Profile string `default:"default" enum:"default,fast" help:"Time-outs: default, or fast for tests."`
}

// keys returns the signer and the profile, which nearly every service takes.
func (s signing) keys(t timing) (*auth.Signer, profile.Profile, error) {
	p, err := profile.ByName(t.Profile)
	if err != nil {
		return nil, p, err
	}
	k, err := s.signer()
	return k, p, err
}
