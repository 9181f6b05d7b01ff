// Command licences writes services/cmd/tandem/THIRD_PARTY.txt, which the binary
// prints (run it by `make licences`): the Go modules that are in the binary, each
// with its licence and its notices. A test fails when the file is not current.
//
// What is in the web app is listed by Vite, which knows what it has bundled.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const (
	file = "services/cmd/tandem/THIRD_PARTY.txt"

	head = `What is in the binary tandem, with its licences
===============================================

Written by make licences from the Go modules that the binary for linux/amd64 is
built of; no other platform needs more. Each text stands below the names of
all that are under it.
`
	rule = "\n" + `--------------------------------------------------------------------------------` + "\n"
)

// stated says under what a module is that has no licence file of its own. Tandem's
// LICENSE is the text of Apache-2.0.
var stated = map[string]string{
	"github.com/awslabs/kinesis-aggregation/go/v2": "Copyright Amazon.com, Inc. or its affiliates. All Rights Reserved. Apache-2.0, as its source files say",
}

// notices are files of this module about what is embedded in it.
var notices = []string{"services/domain/city/data/NOTICE.md"}

func main() {
	text, err := render(".")
	if err == nil {
		err = os.WriteFile(file, []byte(text), 0o600)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

type module struct {
	Path, Version, Dir string
	Main               bool
}

func (m module) String() string { return strings.TrimSpace(m.Path + " " + m.Version) }

// texts maps each text to the names of what is under it.
type texts map[string][]string

func (t texts) add(file, name string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}

	text := strings.Trim(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n")
	if !slices.Contains(t[text], name) {
		t[text] = append(t[text], name)
	}
	return nil
}

// render returns the file's text.
func render(root string) (string, error) {
	packages, err := list(root, "linux", "amd64")
	if err != nil {
		return "", err
	}

	found := texts{}
	for m, dirs := range packages {
		if err := found.addModule(root, m, dirs); err != nil {
			return "", err
		}
	}
	for _, n := range notices {
		if err := found.add(filepath.Join(root, n), "tandem: "+n); err != nil {
			return "", err
		}
	}

	var groups []string
	for text, names := range found {
		slices.Sort(names)
		groups = append(groups, rule+strings.Join(names, "\n")+"\n\n"+text+"\n")
	}
	slices.Sort(groups)
	return head + strings.Join(groups, ""), nil
}

// list returns the modules in a platform's binary, each with the folders of its
// packages.
func list(root, system, processor string) (map[module][]string, error) {
	var said bytes.Buffer
	cmd := exec.Command("go", "list", "-deps", "-tags", "nomsgpack", "-json=Dir,Module", "./services/cmd/tandem")
	cmd.Dir, cmd.Stderr = root, &said
	cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+processor, "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, said.String())
	}

	packages := map[module][]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Dir    string
			Module *module
		}
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages, nil
		}
		if err != nil {
			return nil, err
		}
		if p.Module != nil { // else it is the standard library's
			packages[*p.Module] = append(packages[*p.Module], p.Dir)
		}
	}
}

var legal = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([._-].*)?$`)

// addModule adds what lies in the folders of a module's packages, and in those
// above them: some packages are under another licence than their module.
func (t texts) addModule(root string, m module, dirs []string) error {
	if m.Main {
		return t.add(filepath.Join(root, "LICENSE"), m.Path+": LICENSE")
	}

	above := map[string]bool{m.Dir: true}
	for _, dir := range dirs {
		for ; dir != m.Dir; dir = filepath.Dir(dir) {
			above[dir] = true
		}
	}

	seen := 0
	for _, dir := range slices.Sorted(maps.Keys(above)) {
		files, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, f := range files {
			if f.IsDir() || !legal.MatchString(f.Name()) || filepath.Ext(f.Name()) == ".go" {
				continue
			}
			seen++
			name, err := filepath.Rel(m.Dir, filepath.Join(dir, f.Name()))
			if err != nil {
				return err
			}
			if err := t.add(filepath.Join(dir, f.Name()), m.String()+": "+name); err != nil {
				return err
			}

			// The Go team's: the standard library is under the same.
			if m.Path == "golang.org/x/sys" {
				if err := t.add(filepath.Join(dir, f.Name()), "Go's standard library and runtime: "+name); err != nil {
					return err
				}
			}
		}
	}

	if seen > 0 {
		return nil
	}
	if says, ok := stated[m.Path]; ok {
		return t.add(filepath.Join(root, "LICENSE"), m.String()+": "+says)
	}
	return fmt.Errorf("%s has no licence file: find out what it is under before it is used", m)
}
