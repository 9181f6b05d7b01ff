// Package workersfile reads and writes a file that lists the workers that run, and says
// why there are as many. The process that starts and retires workers replaces it whenever
// that changes; a process that shows them reads it each time it looks. Prometheus finds
// its targets in the same way (file_sd_configs).
package workersfile

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// File is the content.
type File struct {
	Workers  []Worker  `json:"workers"`
	Decision *Decision `json:"decision"` // null: their number is fixed, or nothing was decided yet
}

// Worker is a process that was started and was not told to end.
type Worker struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// Decision is the last one about their number.
type Decision struct {
	At      time.Time `json:"at"`
	Want    int       `json:"want"`
	Min     int       `json:"min"`
	Max     int       `json:"max"`
	Because string    `json:"because"` // in words for people
}

// Read returns what the file says.
func Read(path string) (File, error) {
	var f File
	b, err := os.ReadFile(path)
	if err != nil {
		return f, fmt.Errorf("workers file: %w", err)
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return f, fmt.Errorf("workers file: %s: %w", path, err)
	}
	return f, nil
}

// Write replaces the file in one step, so that a reader never sees half of it. One
// process writes a file, and one call at a time.
func Write(path string, f File) error {
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("workers file: %w", err)
	}

	tmp := path + ".new"
	if err := os.WriteFile(tmp, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("workers file: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("workers file: %w", err)
	}
	return nil
}
