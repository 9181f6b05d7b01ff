package tutorial

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWordsAreInTheList catches a slip of the pen: each word of the tutorial's prose is
// in words.txt, and a new one is a line there that somebody has looked at. With
// TANDEM_WORDS=write the list is written anew.
func TestWordsAreInTheList(t *testing.T) {
	const list = "words.txt"
	known, err := os.ReadFile(list)
	require.NoError(t, err)

	var used, missing []string
	have := strings.Fields(string(known))
	for _, p := range all(t) {
		for _, w := range p.prose {
			w = plain(w)
			used = append(used, w)
			if _, found := slices.BinarySearch(have, w); !found {
				missing = append(missing, p.path+": "+w)
			}
		}
	}

	if os.Getenv("TANDEM_WORDS") == "write" {
		slices.Sort(used)
		all := strings.Join(slices.Compact(used), "\n") + "\n"
		require.NoError(t, os.WriteFile(list, []byte(all), 0o644)) //nolint:gosec // a file of the repository
		return
	}
	require.True(t, slices.IsSorted(have), list)
	require.Empty(t, missing, "misspelled, or new: TANDEM_WORDS=write go test ./services/test/tutorial")
	require.True(t, bytes.HasSuffix(known, []byte("\n")), list)
}

// plain is a word without its case and a genitive's ending.
func plain(word string) string {
	word = strings.ReplaceAll(strings.ToLower(word), "’", "'")
	return strings.TrimSuffix(strings.TrimSuffix(word, "'"), "'s")
}
