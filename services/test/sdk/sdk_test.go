package sdk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/demo/runfile"
	"tandem/services/test/testenv"
)

const (
	installWithin = 5 * time.Minute
	checkWithin   = 10 * time.Minute
)

// wanted skips the test unless it is asked for: it installs packages.
func wanted(t *testing.T) {
	t.Helper()
	if os.Getenv("TANDEM_SDK") == "" {
		t.Skip("set TANDEM_SDK=1, or run make sdk")
	}
}

// program returns the path of a program. Without it the test is skipped.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("NOT TESTED: there is no %s", name)
	}
	return path
}

// prepare returns a folder of the user's cache that has these files, and belongs to
// them and to the programs' version: others need other packages. It is locked
// until the test ends.
func prepare(t *testing.T, language string, version []byte, files ...string) string {
	t.Helper()
	all, contents := version, map[string][]byte{}
	for _, name := range files {
		b, err := os.ReadFile(filepath.Join(language, name))
		require.NoError(t, err)
		all, contents[name] = append(all, b...), b
	}

	sum := sha256.Sum256(all)
	cache, err := runfile.CacheDir()
	require.NoError(t, err)
	dir := filepath.Join(cache, "sdk-"+language+"-"+hex.EncodeToString(sum[:6]))
	require.NoError(t, os.MkdirAll(dir, 0o755))

	// Two that install into one folder would break each other's.
	f, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	require.NoError(t, err)
	require.NoError(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	t.Cleanup(func() { _ = f.Close() })

	for name, b := range contents {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
	return dir
}

// install runs a command that fetches packages into dir, unless it has done so
// before. A registry may fail for once, so it is tried three times.
func install(t *testing.T, dir string, command ...string) {
	t.Helper()
	ready := filepath.Join(dir, "ready")
	if _, err := os.Stat(ready); err == nil {
		return
	}

	var why string
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), installWithin)
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		cancel()

		if err == nil {
			require.NoError(t, os.WriteFile(ready, nil, 0o600))
			return
		}
		why = fmt.Sprintf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}

	if os.Getenv("CI") != "" {
		t.Fatalf("the packages cannot be installed: %s", why)
	}
	t.Skipf("NOT TESTED: the packages cannot be installed: %s", why)
}

// check runs a script against an emulator of its own.
func check(t *testing.T, dir string, env []string, command ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), checkWithin)
	defer cancel()

	cmd := script(ctx, t, testenv.Emulator(t).Endpoint, dir, env, command...)
	out, err := cmd.CombinedOutput()
	t.Logf("%s:\n%s", filepath.Base(dir), out)
	require.NoError(t, err)
}

// script returns a command that has not started. The environment is all that points its
// clients to the endpoint.
func script(ctx context.Context, t *testing.T, endpoint, dir string, env []string, command ...string) *exec.Cmd {
	t.Helper()
	nowhere := t.TempDir()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	cmd.Env = append(append(cmd.Env, env...), "AWS_ENDPOINT_URL="+endpoint, "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true", "NO_PROXY=127.0.0.1",
		// No configuration of whoever runs this.
		"AWS_CONFIG_FILE="+filepath.Join(nowhere, "config"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(nowhere, "credentials"))
	return cmd
}
