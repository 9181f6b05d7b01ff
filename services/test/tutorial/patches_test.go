package tutorial

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A chapter shows its patch, and the patch still fits the source.
func TestPatchesApply(t *testing.T) {
	patches, err := filepath.Glob(filepath.Join(root, "docs", "tutorial", "*.patch"))
	require.NoError(t, err)
	require.NotEmpty(t, patches)
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("NOT TESTED: the patches of docs/tutorial need git")
	}

	for _, patch := range patches {
		name := filepath.Base(patch)
		text, err := os.ReadFile(patch)
		require.NoError(t, err)
		pages, err := filepath.Glob(filepath.Join(root, "docs", "tutorial", name[:2]+"-*.md"))
		require.NoError(t, err)
		require.Len(t, pages, 1, name)
		page, err := os.ReadFile(pages[0])
		require.NoError(t, err)
		require.Contains(t, string(page), "```diff\n"+string(text)+"```", "the chapter shows %s", name)

		check := exec.CommandContext(t.Context(), "git", "apply", "--check", filepath.Join("docs", "tutorial", name))
		check.Dir = root
		out, err := check.CombinedOutput()
		require.NoError(t, err, "%s: %s", name, out)
	}
}
