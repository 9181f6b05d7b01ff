// Package firstbuild tests tools/build.sh, which builds Tandem, on machines where a
// part is missing: each build ends with a sentence that says what to do.
package firstbuild

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// utilities are what every machine with a shell has.
var utilities = []string{"sh", "cat", "cut", "date", "dirname", "find", "grep", "kill", "mkdir", "mktemp", "rm", "sleep", "tail", "touch", "tr", "wc"}

// The stand-ins for programs that work.
const (
	nodeWorks = "[ \"$1\" != --version ] || echo v22.12.0"
	npmWorks  = "case $* in\n*\" ci \"*) mkdir -p web/node_modules; : >web/node_modules/.package-lock.json ;;\n" +
		"*\" run \"*) : >web/dist/index.html ;;\nesac"
	goWorks = "case $1 in\nbuild) mkdir -p bin; echo \"$*\" >bin/tandem ;;\nesac"
)

// machine returns a tree with tools/build.sh and how to run it where programs, by
// name, are all that is installed.
func machine(t *testing.T, programs map[string]string) *exec.Cmd {
	t.Helper()
	tree, path := t.TempDir(), t.TempDir()
	for _, dir := range []string{"tools", "web/src", "web/dist", "docs/tutorial"} {
		require.NoError(t, os.MkdirAll(filepath.Join(tree, dir), 0o755))
	}
	for _, file := range []string{"web/index.html", "web/vite.config.ts", "web/package.json", "web/package-lock.json", "docs/openapi.yaml"} {
		require.NoError(t, os.WriteFile(filepath.Join(tree, file), nil, 0o600))
	}
	script, err := os.ReadFile("../../../tools/build.sh")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(tree, "tools/build.sh"), script, 0o600))

	for _, name := range utilities {
		if at, err := exec.LookPath(name); err == nil { // some are built into the shell
			require.NoError(t, os.Symlink(at, filepath.Join(path, name)))
		}
	}
	for name, does := range programs {
		require.NoError(t, os.WriteFile(filepath.Join(path, name), []byte("#!/bin/sh\n"+does+"\n"), 0o700)) //nolint:gosec // it is run
	}

	cmd := exec.CommandContext(t.Context(), filepath.Join(path, "sh"), "tools/build.sh") //nolint:gosec // the shell
	cmd.Dir, cmd.Env = tree, []string{"PATH=" + path, "TMPDIR=" + t.TempDir(), "VERSION=v7"}
	return cmd
}

func TestAMachineWithoutAPartIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		node, npm, golang string // empty: it is not installed
		says              []string
	}{
		"no Node": {"", "", goWorks, []string{"Node is missing", "https://nodejs.org"}},
		"no npm":  {nodeWorks, "", goWorks, []string{"Node is missing"}},
		"Node 18": {"[ \"$1\" = --version ] && echo v18.20.4", npmWorks, goWorks, []string{"Node v18.20.4 is too old", "22.12"}},
		"no Go":   {nodeWorks, npmWorks, "", []string{"Go is missing", "https://go.dev/dl"}},
		"Go 1.19": {nodeWorks, npmWorks, "case $1 in\nversion) echo go version go1.19.8 linux/amd64 ;;\n" +
			"*) echo \"invalid go version '1.26.0'\" >&2; exit 1 ;;\nesac", []string{"Go 1.26 or newer is needed", "this is go1.19.8 (invalid go version"}},
		"npm behind a proxy": {nodeWorks, "echo npm error code SELF_SIGNED_CERT_IN_CHAIN >&2; exit 1", goWorks,
			[]string{"SELF_SIGNED_CERT_IN_CHAIN", "npm could not install", "NODE_EXTRA_CA_CERTS", "HTTPS_PROXY"}},
		"Go behind a proxy": {nodeWorks, npmWorks, "case $* in\n*-export*) echo 'gin: dial tcp: lookup proxy.golang.org: no such host' >&2; exit 1 ;;\nesac",
			[]string{"gin: dial tcp", "Go could not download", "GOPROXY"}},
		"Go that does not compile": {nodeWorks, npmWorks, "case $* in\n*-export*) echo 'main.go:3: undefined: x' >&2; exit 1 ;;\nesac",
			[]string{"main.go:3: undefined: x", "Go could not compile"}},
		"a web app that does not build": {nodeWorks, "case $* in\n*\" run \"*) echo 'no such import' >&2; exit 1 ;;\n*) mkdir -p web/node_modules ;;\nesac", goWorks,
			[]string{"no such import", "The web app could not be built"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			programs := map[string]string{}
			for program, does := range map[string]string{"node": c.node, "npm": c.npm, "go": c.golang} {
				if does != "" {
					programs[program] = does
				}
			}
			cmd := machine(t, programs)
			out, err := cmd.CombinedOutput()
			require.Error(t, err, "%s", out)
			for _, s := range c.says {
				require.Contains(t, string(out), s)
			}
			require.NoFileExists(t, filepath.Join(cmd.Dir, "bin/tandem"))
		})
	}
}

func TestABuildSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	// Go compiles until the line has been seen.
	cmd := machine(t, map[string]string{"node": nodeWorks, "npm": npmWorks, "go": "case $* in\n" +
		"*-export*) echo one >&2; echo two >&2; while [ ! -e seen ]; do sleep 0.1; done ;;\n" +
		"*-deps*) echo one; echo two; echo three ;;\nbuild*) mkdir -p bin; echo \"$*\" >bin/tandem ;;\nesac"})
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())

	var out strings.Builder
	buf := make([]byte, 4096)
	for err == nil {
		var n int
		n, err = pipe.Read(buf)
		out.Write(buf[:n])
		if strings.Contains(out.String(), "\n") {
			require.NoError(t, os.WriteFile(filepath.Join(cmd.Dir, "seen"), nil, 0o600))
		}
	}
	require.NoError(t, cmd.Wait())
	require.Contains(t, out.String(), "left: Go packages (2 of at most 3 compiled), linking")

	built, err := os.ReadFile(filepath.Join(cmd.Dir, "bin/tandem"))
	require.NoError(t, err)
	require.Contains(t, string(built), "-X main.version=v7")
}

// A second build does nothing for the web app, and one after an edit does.
func TestTheWebAppIsBuiltWhenItChanged(t *testing.T) {
	t.Parallel()
	cmd := machine(t, map[string]string{"node": nodeWorks, "go": goWorks, "npm": "echo \"$3\" >>calls\n" + npmWorks})
	run := func() string {
		again := exec.CommandContext(t.Context(), cmd.Path, cmd.Args[1:]...) //nolint:gosec // the shell
		again.Dir, again.Env = cmd.Dir, cmd.Env
		out, err := again.CombinedOutput()
		require.NoError(t, err, "%s", out)
		calls, err := os.ReadFile(filepath.Join(cmd.Dir, "calls"))
		require.NoError(t, err)
		return strings.Join(strings.Fields(string(calls)), " ")
	}

	require.Equal(t, "ci run", run())
	require.Equal(t, "ci run", run(), "nothing has changed")
	require.NoError(t, os.WriteFile(filepath.Join(cmd.Dir, "web/src/new.ts"), nil, 0o600))
	require.Equal(t, "ci run run", run())
}
