package pgserver

import (
	"context"
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Options of a server.
type Options struct {
	// Dir is the folder for the server's data, password and port. It is created if
	// it does not exist.
	Dir string
	// Cache is the folder for a downloaded Postgres; empty is a folder beside Dir.
	// If root starts the server, every user must be able to reach it.
	Cache string
	// Say, if set, is called with a text before a download begins.
	Say func(string)
	// Settings are added to the server's own (postgres -c).
	Settings []string
	// Embedded skips the system's binaries.
	Embedded bool
}

// superuser owns everything in the private server.
const superuser = "tandem"

// Server is a prepared server: its files exist, and it may or may not run.
type Server struct {
	opts     Options
	bin      binaries
	cred     *syscall.Credential
	password string
	port     int
}

// Prepare finds or downloads the binaries and creates the data folder. It starts
// nothing.
func Prepare(ctx context.Context, o Options) (*Server, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("postgres data: %w", err)
	}
	o.Dir = dir

	if o.Cache == "" {
		o.Cache = filepath.Join(filepath.Dir(dir), "cache")
	}
	if o.Say == nil {
		o.Say = func(string) {}
	}

	s := &Server{opts: o}
	if s.cred, err = serverUser(); err != nil {
		return nil, err
	}

	major, err := dataMajor(s.data())
	if err != nil {
		return nil, err
	}
	if s.bin, err = s.binaries(ctx, major); err != nil {
		return nil, err
	}

	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("postgres data: %w", err)
	}
	if s.password, err = keep(filepath.Join(dir, "password"), cryptorand.Text); err != nil {
		return nil, err
	}

	if major == 0 {
		if err := s.initdb(ctx); err != nil {
			return nil, err
		}
	}

	if err := s.clearLeftover(); err != nil {
		return nil, err
	}
	return s, s.choosePort()
}

func (s *Server) binaries(ctx context.Context, major int) (binaries, error) {
	if !s.opts.Embedded {
		bin, err := systemBinaries(ctx, s.cred, major)
		if !errors.Is(err, errNoBinaries) {
			return bin, err
		}
	}

	if major != 0 && major != embeddedMajor {
		return binaries{}, fmt.Errorf("the data in %s was written by Postgres %d, which is not on this machine: install it, or start afresh (--fresh)", s.data(), major)
	}
	return fetch(ctx, s.opts.Cache, s.opts.Say)
}

func (s *Server) data() string { return filepath.Join(s.opts.Dir, "data") }

// initdb creates the data folder under another name and renames it when it is
// complete, so that an interrupted one is never taken for data.
func (s *Server) initdb(ctx context.Context) error {
	unfinished := s.data() + ".new"
	if err := os.RemoveAll(unfinished); err != nil {
		return fmt.Errorf("postgres data: %w", err)
	}
	if err := os.Mkdir(unfinished, 0o700); err != nil {
		return fmt.Errorf("postgres data: %w", err)
	}
	if err := handOver(unfinished, s.cred); err != nil {
		return err
	}

	password := filepath.Join(s.opts.Dir, "password")
	if s.cred != nil {
		if err := os.Chown(password, int(s.cred.Uid), int(s.cred.Gid)); err != nil {
			return fmt.Errorf("postgres password: %w", err)
		}
	}

	cmd := exec.CommandContext(ctx, filepath.Join(s.bin.dir, "initdb"), "-D", unfinished, "-U", superuser,
		"--auth=scram-sha-256", "--pwfile="+password, "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	cmd.Dir, cmd.Env = s.opts.Dir, environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(string(out)))
	}

	if err := os.Rename(unfinished, s.data()); err != nil {
		return fmt.Errorf("postgres data: %w", err)
	}
	return nil
}

// Postgres cannot be handed an open socket, so its port is chosen some time before
// it listens, and again while it is restarted. The kernels of Linux and macOS give the
// ports from 32768 on to whoever asks for any, outgoing connections too; none of
// those must get this one meanwhile.
const (
	firstPort = 20000
	endOfPort = 32768
)

// choosePort takes the port of the last start, or a free one if another program
// has taken it meanwhile.
func (s *Server) choosePort() error {
	file := filepath.Join(s.opts.Dir, "port")
	b, _ := os.ReadFile(file) // no file: the first start
	port, err := strconv.Atoi(strings.TrimSpace(string(b)))

	for range 100 {
		if err == nil && port < endOfPort && free(port) {
			s.port = port
			return os.WriteFile(file, []byte(strconv.Itoa(port)), 0o600)
		}
		port, err = firstPort+rand.IntN(endOfPort-firstPort), nil
	}
	return fmt.Errorf("postgres port: of 100 ports from %d to %d none is free", firstPort, endOfPort-1)
}

func free(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	return err == nil && l.Close() == nil
}

// URL returns the address of the database that Tandem uses.
func (s *Server) URL() string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, s.password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), Path: "/postgres",
	}
	return u.String()
}

// Ping returns nil if the server takes queries.
func (s *Server) Ping(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.URL())
	if err != nil {
		return err
	}
	return errors.Join(conn.Ping(ctx), conn.Close(ctx))
}

// answers returns nil if the server answers at all, if only that it takes nobody
// now: it recovers, or has too many connections.
func (s *Server) answers(ctx context.Context) error {
	err := s.Ping(ctx)
	if refused := new(pgconn.PgError); errors.As(err, &refused) {
		return nil
	}
	return err
}

// environment is the whole environment of the server and of initdb. This
// process's PG variables and locale must not reach them.
func environment() []string { return []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"} }

// keep returns the file's content; a file that does not exist is written first,
// with what generate returns.
func keep(path string, generate func() string) (string, error) {
	b, err := os.ReadFile(path)
	if err == nil {
		return string(b), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("postgres password: %w", err)
	}

	v := generate()
	if err := os.WriteFile(path, []byte(v), 0o600); err != nil {
		return "", fmt.Errorf("postgres password: %w", err)
	}
	return v, nil
}
