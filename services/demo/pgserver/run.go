package pgserver

import (
	"path/filepath"
	"strconv"
	"syscall"

	"tandem/services/demo/supervisor"
)

// Spec returns the server as a row of a supervisor's table.
func (s *Server) Spec() supervisor.Spec {
	return supervisor.Spec{
		Name: "postgres", Path: filepath.Join(s.bin.dir, "postgres"), Args: s.args(), Env: environment(),
		Credential: s.cred, Ready: s.Ping, Answers: s.answers,
		StopSignal:  syscall.SIGINT,  // fast: end sessions, write a checkpoint
		DeathSignal: syscall.SIGQUIT, // at once, and its children with it
	}
}

func (s *Server) args() []string {
	args := []string{"-D", s.data(), "-p", strconv.Itoa(s.port), "-h", "127.0.0.1"}

	// No Unix socket, so that the port on 127.0.0.1 is the only way in; and little
	// memory, because a dozen services run beside it.
	for _, setting := range append([]string{
		"unix_socket_directories=", "max_connections=200",
		"shared_buffers=48MB", "work_mem=4MB", "maintenance_work_mem=32MB", "max_wal_size=256MB",
		"max_worker_processes=2", "max_parallel_workers=0", "max_parallel_workers_per_gather=0",
		"jit=off", "log_min_messages=warning", "log_line_prefix=%m [%p] %a ",
	}, s.opts.Settings...) {
		args = append(args, "-c", setting)
	}
	return args
}
