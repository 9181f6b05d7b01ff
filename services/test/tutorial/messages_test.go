package tutorial

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// quoted is a message, and the files of the source that it is put together from.
var quoted = regexp.MustCompile("(?s)```text\n(.*?)\n```\n<!-- from: (.*?) -->")

// verbs are what a message's format has where docs/troubleshooting.md has "…".
var verbs = regexp.MustCompile(`%[-+.#0-9]*[a-z]|\$\w+|\$\{.*?\}|\\n`)

func TestMessagesAreThoseOfTheSource(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "troubleshooting.md"))
	require.NoError(t, err)
	messages := quoted.FindAllStringSubmatch(string(page), -1)
	require.Len(t, messages, strings.Count(string(page), "```text\n"), "each message names its source")

	for _, m := range messages {
		var source strings.Builder
		for _, file := range strings.Fields(m[2]) {
			text, err := os.ReadFile(filepath.Join(root, file))
			require.NoError(t, err)
			source.WriteString(verbs.ReplaceAllString(strings.ReplaceAll(string(text), `\"`, `"`), "…"))
		}
		for _, part := range strings.Split(m[1], "…") {
			require.Contains(t, source.String(), strings.TrimPrefix(part, "tandem: "), "%s no longer says %q", m[2], m[1])
		}
	}
}
