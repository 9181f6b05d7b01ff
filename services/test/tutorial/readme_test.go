package tutorial

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheReadmesExcerptsAreWhatTheSourceSays(t *testing.T) {
	p, err := read(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	require.Len(t, p.excerpts, 2, "a queue's worker, and a stream's reader")
	for _, e := range p.excerpts {
		require.NoError(t, e.check(root), "%s:%d", p.path, e.line)
	}
}

var question = regexp.MustCompile(`(?s)^# \d+\. [^\n]+\n\n\*\*([^*]+)\*\*`)

// The README, the tutorial's contents and the chapters ask the same questions.
func TestTheChaptersQuestionsStandInTheContents(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	contents, err := os.ReadFile(filepath.Join(root, "docs/tutorial/README.md"))
	require.NoError(t, err)

	for _, p := range all(t) {
		if filepath.Base(p.path) == "README.md" {
			continue
		}
		source, err := os.ReadFile(p.path)
		require.NoError(t, err)
		m := question.FindSubmatch(source)
		require.NotNil(t, m, "%s begins with its title and its question", p.path)

		q, name := strings.ReplaceAll(string(m[1]), "\n", " "), filepath.Base(p.path)
		require.Contains(t, string(readme), "["+q+"](docs/tutorial/"+name+")")
		require.Contains(t, string(contents), "]("+name+") | "+q+" |")
	}
}
