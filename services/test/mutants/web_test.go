package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// page makes a web app of its own, with the real one's packages.
func page(t *testing.T) (root string) {
	t.Helper()
	packages, err := filepath.Abs(filepath.Join("..", "..", "..", webDir, "node_modules"))
	require.NoError(t, err)
	if _, err := os.Stat(packages); err != nil {
		t.Skip("NOT TESTED: the web app's packages are not installed: make web does so")
	}
	planted, err := os.ReadFile(filepath.Join("..", "..", "..", webDir, "planted.config.ts"))
	require.NoError(t, err)

	root = t.TempDir()
	for name, text := range map[string]string{
		"web/package.json":      `{"type": "module"}`,
		"web/planted.config.ts": string(planted),
		"web/vite.config.ts":    "export default {};\n",
		"web/src/a.ts":          "export const sum = (a: number, b: number) => a + b;\nexport const untested = () => 1;\n",
		"web/src/a.test.ts":     "import { expect, test } from \"vitest\";\nimport { sum } from \"./a\";\ntest(\"sums\", () => expect(sum(1, 2)).toBe(3));\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o600))
	}
	require.NoError(t, os.Symlink(packages, filepath.Join(root, webDir, "node_modules")))
	return root
}

func TestABugOfThePageIsCaughtSurvivesOrCannotBeJudged(t *testing.T) {
	r := runner{root: page(t), timeout: time.Minute, say: func(string) {}}
	caught := mutant{name: "minus", file: "web/src/a.ts", tests: "a", before: "a + b", after: "a - b"}
	survives := mutant{name: "two", file: "web/src/a.ts", before: "=> 1", after: "=> 2"}
	broken := mutant{name: "no TypeScript", file: "web/src/a.ts", before: "a + b", after: "a +"}

	test, err := r.one(t.Context(), caught)
	require.NoError(t, err)
	require.Equal(t, "a.test.ts: sums", test)
	test, err = r.one(t.Context(), survives)
	require.NoError(t, err)
	require.Empty(t, test)
	_, err = r.one(t.Context(), broken)
	require.ErrorContains(t, err, "does not compile")

	require.NoError(t, r.baseline(t.Context(), []mutant{caught, survives}))
	none := caught
	none.tests = "nothing"
	_, err = r.one(t.Context(), none)
	require.ErrorContains(t, err, "no test fails")
	r.timeout = time.Millisecond
	test, err = r.one(t.Context(), caught)
	require.NoError(t, err)
	require.Contains(t, test, "it hangs")
}
