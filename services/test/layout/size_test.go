package layout

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mostBytes is the size of a committed file at most: what is larger was built, and
// everybody who clones would load it for ever.
const mostBytes = 1 << 20

func TestNothingBuiltIsCommitted(t *testing.T) {
	const root = "../../.."
	out, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "-z").Output()
	if err != nil {
		t.Skip("NOT TESTED: git does not list the files of this folder: ", err)
	}

	files := strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
	require.Greater(t, len(files), 500)
	for _, file := range files {
		info, err := os.Lstat(filepath.Join(root, file))
		if os.IsNotExist(err) { // deleted, and not committed yet
			continue
		}
		require.NoError(t, err)
		require.LessOrEqual(t, info.Size(), int64(mostBytes), "%s: built files stay out of the repository", file)
	}
}

// What .gitignore names is made by running something: it has paths of the machine on which
// it ran, like the failures that property tests write down.
func TestNothingIgnoredIsCommitted(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "git", "-C", "../../..", "ls-files", "--cached", "--ignored", "--exclude-standard").Output()
	if err != nil {
		t.Skip("NOT TESTED: git does not list the files of this folder: ", err)
	}
	require.Empty(t, string(out))
}
