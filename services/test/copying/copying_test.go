// Package copying keeps the promise of docs/copying.md: each package that it offers is
// copied into an empty module outside of this one, as a stranger would, with
// the versions, the hooks and the programs that the page shows.
package copying

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tandem/services/test/testaws"
	"tandem/services/test/testenv"
)

const (
	page     = "../../../docs/copying.md"
	internal = "../../internal/"
	here     = "tandem/services/internal/" // the import path of what is copied
	there    = "example.com/copied/"       // and of the copy
)

// block is one fenced block of the page whose first line names a file.
var block = regexp.MustCompile("(?s)```(?:go|mod)\n// ([a-z_/]+\\.(?:go|mod))\n(.*?)```")

// module makes the empty module, copies the folders and writes what the page
// shows.
func module(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()

	for _, folder := range []string{"queue", "stream"} {
		require.NoError(t, copyFolder(filepath.Join(internal, folder), filepath.Join(dir, folder)))
	}

	text, err := os.ReadFile(page)
	require.NoError(t, err)
	written := 0
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		name := filepath.Join(dir, m[1])
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(m[2]), 0o600))
		written++
	}
	require.GreaterOrEqual(t, written, 5, "go.mod, hooks and programs")
	pinned(t, filepath.Join(dir, "go.mod"))
	return dir
}

// pinned checks that the page names the versions that Tandem itself is built with.
func pinned(t *testing.T, name string) {
	t.Helper()
	ours, err := os.ReadFile("../../../go.mod")
	require.NoError(t, err)
	theirs, err := os.ReadFile(name)
	require.NoError(t, err)

	for _, m := range regexp.MustCompile(`(?m)^\t(\S+ v\S+)$`).FindAllStringSubmatch(string(theirs), -1) {
		require.Contains(t, string(ours), "\t"+m[1], "the page's versions are those of go.mod")
	}
}

// copyFolder copies Go files and migrations with their import paths changed,
// without the tests that stay behind.
func copyFolder(from, to string) error {
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "streamcheck" {
				return fs.SkipDir // it is not one of them
			}
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		if strings.HasSuffix(p, "tandem_test.go") {
			return nil
		}

		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), bytes.ReplaceAll(b, []byte(here), []byte(there)), 0o600)
	})
}

// run runs a go command in the copy and returns what it printed.
func run(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()

	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append(env, "GOFLAGS=-mod=mod", "GOWORK=off")...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "go %s:\n%s", strings.Join(args, " "), out)
	return string(out)
}

func TestStarredPackagesBuildAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and tests these packages a second time")
	}
	dir := module(t)
	database, _ := testenv.Database(t)
	endpoint := testenv.Emulator(t).Endpoint
	env := []string{
		"DATABASE_URL=" + database, "AWS_ENDPOINT_URL=" + endpoint,
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
	}

	run(t, dir, nil, "mod", "tidy")
	run(t, dir, nil, "vet", "./...")

	t.Run("tests and Examples", func(t *testing.T) {
		out := run(t, dir, env, "test", "./...")
		require.Equal(t, 9, strings.Count(out, "ok  \texample.com/copied/"), "%s", out)
	})

	sdk, err := testaws.Config(t.Context(), endpoint, "")
	require.NoError(t, err)
	fill(t, sdk)

	for program, wants := range map[string][]string{
		"worker": {"order 17"},
		"reader": {"ana depot", "ana bridge", "bo harbour"},
	} {
		t.Run(program, func(t *testing.T) {
			p := start(t, dir, env, program)
			for _, want := range wants {
				require.Eventually(t, func() bool { return strings.Contains(p.String(), want) }, time.Minute, 50*time.Millisecond, "%s", p)
			}
			p.interrupt(t)
		})
	}

	t.Run("group", func(t *testing.T) {
		p := start(t, dir, env, "group")
		pool, err := pgxpool.New(t.Context(), database)
		require.NoError(t, err)
		defer pool.Close()

		counted := func() (n int) {
			_ = pool.QueryRow(t.Context(), `SELECT sum(n) FROM counts`).Scan(&n) // the table is the program's to make
			return n
		}
		require.Eventually(t, func() bool { return counted() == 3 }, time.Minute, 100*time.Millisecond, "%s", p)
		p.interrupt(t)
	})
}

// fill makes the queue and the stream that the programs read, with something in
// them.
func fill(t *testing.T, sdk aws.Config) {
	t.Helper()
	queues, streams := sqs.NewFromConfig(sdk), kinesis.NewFromConfig(sdk)

	_, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("orders-dlq")})
	require.NoError(t, err)
	orders, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("orders"), Attributes: map[string]string{
		"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:orders-dlq","maxReceiveCount":10}`,
	}})
	require.NoError(t, err)
	_, err = queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: orders.QueueUrl, MessageBody: aws.String("17")})
	require.NoError(t, err)

	_, err = streams.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: aws.String("trips"), ShardCount: aws.Int32(2)})
	require.NoError(t, err)
	require.NoError(t, kinesis.NewStreamExistsWaiter(streams).Wait(t.Context(), &kinesis.DescribeStreamInput{StreamName: aws.String("trips")}, time.Minute))
	for _, r := range [][2]string{{"ana", "depot"}, {"ana", "bridge"}, {"bo", "harbour"}} {
		_, err := streams.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: aws.String("trips"), PartitionKey: &r[0], Data: []byte(r[1])})
		require.NoError(t, err)
	}
}

// program is one of the page's programs while it runs.
type program struct {
	cmd   *exec.Cmd
	ended chan error

	mu  sync.Mutex
	out bytes.Buffer
}

func start(t *testing.T, dir string, env []string, name string) *program {
	t.Helper()
	binary := filepath.Join(dir, "bin-"+name)
	run(t, dir, nil, "build", "-o", binary, "./"+name)

	p := &program{cmd: exec.Command(binary), ended: make(chan error, 1)}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = dir, append(os.Environ(), env...), p, p
	require.NoError(t, p.cmd.Start())
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // nothing outlives the test
	return p
}

// Write implements io.Writer.
func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

// String returns what the program has printed so far.
func (p *program) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// interrupt ends the program as Ctrl-C does: it must drain and exit with 0.
func (p *program) interrupt(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	select {
	case err := <-p.ended:
		require.NoError(t, err, "%s", p.String())
	case <-time.After(30 * time.Second):
		t.Fatalf("it does not end:\n%s", p.String())
	}
}
