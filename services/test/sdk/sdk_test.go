package sdk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/demo/runfile"
	"tandem/services/test/testenv"
)

func TestEmulatorSpeaksToBoto3AndTheAWSCLI(t *testing.T) {
	python, env := environment(t)
	at := testenv.Emulator(t)

	cmd := exec.CommandContext(t.Context(), python, "check.py", at.Endpoint)
	nowhere := t.TempDir() // no configuration of whoever runs this
	cmd.Env = append(env, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE="+filepath.Join(nowhere, "config"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(nowhere, "credentials"),
		"AWS_DEFAULT_REGION=us-east-1", "AWS_PAGER=", "NO_PROXY=127.0.0.1", "PYTHONDONTWRITEBYTECODE=1")

	out, err := cmd.CombinedOutput()
	t.Logf("check.py:\n%s", out)
	require.NoError(t, err)
}

// skip skips the test and prints why, also without -v.
func skip(t *testing.T, format string, args ...any) {
	t.Helper()
	why := fmt.Sprintf(format, args...)
	fmt.Fprintln(os.Stderr, "SKIPPED: boto3 and the AWS CLI against the emulator:", why)
	t.Skip(why)
}

// environment returns a Python that has requirements.txt's packages, and the
// environment variables to run it with.
func environment(t *testing.T) (python string, env []string) {
	base, err := exec.LookPath("python3")
	if err != nil {
		skip(t, "there is no python3")
	}

	version, err := exec.Command(base, "-c", "import sys; assert sys.version_info >= (3, 9), sys.version; print(sys.version, sys.prefix)").CombinedOutput()
	if err != nil {
		skip(t, "Python 3.9 or later is needed: %s", version)
	}

	wanted, err := os.ReadFile("requirements.txt")
	require.NoError(t, err)

	// Another Python or other packages need a folder of their own.
	sum := sha256.Sum256(append(version, wanted...))
	cache, err := runfile.CacheDir()
	require.NoError(t, err)
	dir := filepath.Join(cache, "sdk-"+hex.EncodeToString(sum[:6]))
	require.NoError(t, os.MkdirAll(dir, 0o755))

	unlock := lock(t, dir+".lock")
	defer unlock()

	python, env = filepath.Join(dir, "venv", "bin", "python"), os.Environ()
	packages := filepath.Join(dir, "packages") // used where there is no venv
	ready := filepath.Join(dir, "ready")
	if way, err := os.ReadFile(ready); err == nil {
		if string(way) == "packages" {
			return base, append(env, "PYTHONPATH="+packages)
		}
		return python, env
	}

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	run := func(name string, args ...string) error {
		if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s %v: %w\n%s", name, args, err, out)
		}
		return nil
	}

	way := "venv"
	if err = run(base, "-m", "venv", "--clear", filepath.Join(dir, "venv")); err == nil {
		err = run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt")
	} else if run(base, "-m", "pip", "--version") == nil { // Debian's Python has venv apart
		way, python, env = "packages", base, append(env, "PYTHONPATH="+packages)
		err = run(base, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--target", packages, "-r", "requirements.txt")
	}

	if err != nil {
		skip(t, "its packages cannot be installed: %v", err)
	}
	require.NoError(t, os.WriteFile(ready, []byte(way), 0o600))
	return python, env
}

// lock lets one process at a time prepare the folder.
func lock(t *testing.T, path string) (unlock func()) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	require.NoError(t, err)
	require.NoError(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	return func() { _ = f.Close() }
}
