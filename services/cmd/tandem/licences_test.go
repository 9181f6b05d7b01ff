package main

import (
	"bytes"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"tandem/web"
)

func TestLicencesHasTheModulesAndTheWebApp(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, writeLicences(&out, fstest.MapFS{"licences.txt": {Data: []byte("## react - 19\n")}}))
	require.Contains(t, out.String(), "github.com/jackc/pgx/v5 v")
	require.Contains(t, out.String(), "## react - 19\n")

	out.Reset()
	require.NoError(t, writeLicences(&out, fstest.MapFS{}))
	require.Contains(t, out.String(), "no web app")
}

// Vite lists what it bundled: each package with a text, and the font.
func TestTheWebAppsLicencesAreComplete(t *testing.T) {
	t.Parallel()
	if _, err := fs.Stat(web.App(), "index.html"); err != nil {
		t.Skip("NOT TESTED: the web app has not been built (make web)")
	}

	list, err := fs.ReadFile(web.App(), "licences.txt")
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(list), "\n## ")
	parts := strings.Split(rest, "\n## ")
	for _, p := range parts {
		name, text, _ := strings.Cut(p, "\n")
		require.Greater(t, len(text), 300, "%s has no licence text", name)
	}
	for _, name := range []string{"react - ", "maplibre-gl - ", "@mantine/core - ", "@fontsource-variable/inter - "} {
		require.Contains(t, "\n## "+rest, "\n## "+name)
	}
	require.Contains(t, rest, "SIL OPEN FONT LICENSE")
}
