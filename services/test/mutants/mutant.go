package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// mutant is one planted bug.
type mutant struct {
	name          string   // what is wrong with it
	file          string   // from the module's root
	before, after string   // before stands in the file exactly once
	tests         string   // go test's -run; empty: every test of the packages. Of a file of the page: the name of its test file
	packages      []string // whose tests should catch it; empty: the file's own. Of a file of the page: test files
	quick         bool     // in the subset of a few minutes
}

// targets are the packages as go test takes them.
func (m mutant) targets() []string {
	if len(m.packages) == 0 {
		return []string{"./" + path.Dir(m.file)}
	}

	out := make([]string, len(m.packages))
	for i, p := range m.packages {
		out[i] = "./" + p
	}
	return out
}

// plant returns the file's text with the bug in it.
func (m mutant) plant(root string) ([]byte, error) {
	source, err := os.ReadFile(filepath.Join(root, m.file)) //nolint:gosec // a file of this tree
	if err != nil {
		return nil, fmt.Errorf("%q: %w", m.name, err)
	}

	if n := strings.Count(string(source), m.before); n != 1 {
		return nil, fmt.Errorf("%q: %s has its text %d times, not once:\n%s", m.name, m.file, n, m.before)
	}
	return []byte(strings.Replace(string(source), m.before, m.after, 1)), nil
}

// overlay writes the file with the bug in it into dir, and what go test's -overlay
// wants. It returns the names of both.
func (m mutant) overlay(root, dir string) (overlay, planted string, err error) {
	wrong, err := m.plant(root)
	if err != nil {
		return "", "", err
	}

	planted = filepath.Join(dir, path.Base(m.file))
	if err := os.WriteFile(planted, wrong, 0o600); err != nil {
		return "", "", err
	}
	raw, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, m.file): planted}})
	if err != nil {
		return "", "", err
	}

	overlay = filepath.Join(dir, "overlay.json")
	return overlay, planted, os.WriteFile(overlay, raw, 0o600)
}
