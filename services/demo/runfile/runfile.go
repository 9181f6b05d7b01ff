// Package runfile reads and writes <data folder>/run.json, by which a tool in
// another terminal finds the running demo. The demo writes the file and removes it
// when it ends. Only the demo's user can read it, because it contains keys.
package runfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Name of the file within the data folder.
const Name = "run.json"

// Run describes a running demo.
type Run struct {
	Version     string    `json:"version"`
	PID         int       `json:"pid"`
	Gateway     string    `json:"gateway"`
	DatabaseURL string    `json:"database_url"`
	Backend     string    `json:"backend"` // emulator, localstack or aws
	AWSEndpoint string    `json:"aws_endpoint,omitempty"`
	AWSRegion   string    `json:"aws_region,omitempty"`
	OperatorKey string    `json:"operator_key"`
	SigningKey  string    `json:"signing_key"` // base64
	Ledger      string    `json:"ledger"`
	Processes   []Process `json:"processes"`
}

// Process is one of the demo's processes.
type Process struct {
	Name string `json:"name"` // dispatch-2
	Role string `json:"role"` // dispatch
	PID  int    `json:"pid"`  // 0 while it is down
	URL  string `json:"url,omitempty"`
}

// URL returns the address of the first process of a role, or "".
func (r Run) URL(role string) string {
	for _, p := range r.Processes {
		if p.Role == role {
			return p.URL
		}
	}
	return ""
}

// ErrNotRunning means that no demo runs on the data folder.
var ErrNotRunning = errors.New("no demo is running here; start one with `make demo`, or name its folder with --data")

// Read returns the demo that runs on the data folder dir. For a file left by a
// demo that was killed it returns ErrNotRunning.
func Read(dir string) (Run, error) {
	var r Run
	b, err := os.ReadFile(filepath.Join(dir, Name))
	if errors.Is(err, fs.ErrNotExist) {
		return r, ErrNotRunning
	}
	if err != nil {
		return r, fmt.Errorf("run file: %w", err)
	}

	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("run file: %w", err)
	}

	// Signal 0 is not delivered; it only asks whether the process exists.
	if err := syscall.Kill(r.PID, 0); errors.Is(err, syscall.ESRCH) {
		return Run{}, ErrNotRunning
	}
	return r, nil
}

// Write replaces the file in one step, so that a reader never sees half of it.
func Write(dir string, r Run) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("run file: %w", err)
	}

	tmp := filepath.Join(dir, Name+".new")
	if err := os.WriteFile(tmp, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("run file: %w", err)
	}

	if err := os.Rename(tmp, filepath.Join(dir, Name)); err != nil {
		return fmt.Errorf("run file: %w", err)
	}
	return nil
}

// Remove deletes the file. A file that does not exist is no error.
func Remove(dir string) error {
	if err := os.Remove(filepath.Join(dir, Name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("run file: %w", err)
	}
	return nil
}
