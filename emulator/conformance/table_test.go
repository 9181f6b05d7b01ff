package conformance_test

import (
	"flag"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/emulator/conformance"
)

// The page that shows the table.
const page = "../../docs/backends.md"

func updating() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

// TestTable checks that the page shows the differences that the code has;
// -update writes them there.
func TestTable(t *testing.T) {
	was, err := os.ReadFile(page)
	require.NoError(t, err)
	is, err := conformance.Embed(string(was))
	require.NoError(t, err)
	if updating() {
		require.NoError(t, os.WriteFile(page, []byte(is), 0o644)) //nolint:gosec // a page of the documentation
		return
	}

	require.Equal(t, is, string(was), "run go test ./emulator/conformance -run TestTable -update")
}

func TestEmbedNeedsItsMarks(t *testing.T) {
	_, err := conformance.Embed("no marks")
	require.Error(t, err)
}

// Each case is named once, cites a page of AWS and says what stands there; each
// difference names a case.
func TestCasesAreNamedAndCited(t *testing.T) {
	names, pages, differences := conformance.Names()
	seen := map[string]bool{}
	for i, name := range names {
		require.False(t, seen[name], "two cases are named %q", name)

		seen[name] = true
		u, err := url.Parse(pages[i])
		require.NoError(t, err, name)
		require.True(t, u.Host == "docs.aws.amazon.com" || u.Host == "repost.aws", "%s cites %s", name, pages[i])
		require.False(t, strings.ContainsAny(name, "|\n"), name)
	}

	for _, name := range differences {
		require.True(t, seen[name], "no case is named %q", name)
	}
}
