package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../../.."

func TestThirdPartyIsCurrent(t *testing.T) {
	t.Parallel()
	want, err := render(root)
	require.NoError(t, err)
	kept, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	if want != string(kept) { // not by require.Equal, which would print both
		t.Fatalf("%s is not current: run make licences", file)
	}

	// What the list must have by any means.
	for _, part := range []string{
		"github.com/jackc/pgx/v5 v", "Go's standard library and runtime: LICENSE", "Go's standard library and runtime: PATENTS",
		"Open Database License", "internal/sync/singleflight/LICENSE",
	} {
		require.Contains(t, want, part)
	}
	require.Regexp(t, `(?m)^github.com/prometheus/client_golang v\S+: NOTICE$`, want)
	require.NotContains(t, want, "ugorji", "a module that the binary is built without")
	require.NotContains(t, want, filepath.Dir(t.TempDir()))
}

func TestNoOtherPlatformNeedsMore(t *testing.T) {
	t.Parallel()
	linux, err := list(root, "linux", "amd64")
	require.NoError(t, err)
	darwin, err := list(root, "darwin", "arm64")
	require.NoError(t, err)
	require.NotEmpty(t, darwin)
	for m := range darwin {
		require.Contains(t, linux, m)
	}
}

func TestAModuleWithoutALicenceIsAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notice_response.go"), []byte("package x"), 0o600))
	m := module{Path: "example.com/x", Version: "v1.0.0", Dir: dir}
	require.ErrorContains(t, texts{}.addModule(root, m, []string{dir}), "example.com/x v1.0.0 has no licence file")

	inner := filepath.Join(dir, "a", "b")
	require.NoError(t, os.MkdirAll(inner, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a", "COPYING.txt"), []byte("do as you like\r\n"), 0o600))
	found := texts{}
	require.NoError(t, found.addModule(root, m, []string{inner}))
	require.Equal(t, texts{"do as you like": {"example.com/x v1.0.0: " + filepath.Join("a", "COPYING.txt")}}, found)
}

// A module that states its licence elsewhere stands with the text of that licence.
func TestWhatAModuleStatesStandsWithTheText(t *testing.T) {
	t.Parallel()
	found := texts{}
	m := module{Path: "github.com/awslabs/kinesis-aggregation/go/v2", Dir: t.TempDir()}
	require.NoError(t, found.addModule(root, m, nil))
	require.Len(t, found, 1)
	for text := range found {
		require.True(t, strings.Contains(text, "Apache License") && strings.Contains(text, "Version 2.0"))
	}
}
