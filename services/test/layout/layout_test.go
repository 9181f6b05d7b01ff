// Package layout holds the rules of the house as tests: who may import whom,
// where gin, the AWS SDK, SQL and the environment may be used, and what a
// package that is copied may not know. Each rule is one row of rules(); it
// carries a violation, and the rule must find it.
package layout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	module = "tandem/"
	root   = "../../.."
)

// file is one Go file of the module.
type file struct {
	path    string // from the module's root: services/booking/run.go
	dir     string // services/booking
	base    string // run.go
	test    bool
	imports []string
	syntax  *ast.File
}

func parse(rel string, source []byte) (file, error) {
	syntax, err := parser.ParseFile(token.NewFileSet(), rel, source, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return file{}, err
	}

	one := file{path: rel, dir: path.Dir(rel), base: path.Base(rel), test: strings.HasSuffix(rel, "_test.go"), syntax: syntax}
	for _, i := range syntax.Imports {
		one.imports = append(one.imports, strings.Trim(i.Path.Value, `"`))
	}
	return one, nil
}

// load reads every Go file of this module; modules nested in it have their own
// rules.
func load(t *testing.T) []file {
	t.Helper()

	var out []file
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)

		if d.IsDir() {
			_, nested := os.Stat(filepath.Join(p, "go.mod"))
			hidden := strings.HasPrefix(d.Name(), ".")
			if rel != "." && (nested == nil || hidden || d.Name() == "testdata" || d.Name() == "node_modules") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}

		source, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		one, err := parse(rel, source)
		out = append(out, one)
		return err
	})
	require.NoError(t, err)
	require.Greater(t, len(out), 50, "the tree was found")
	return out
}

// under reports whether dir is one of roots or lies below one.
func under(dir string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(r string) bool { return dir == r || strings.HasPrefix(dir, r+"/") })
}

// own returns the imports of f that are of this module, from its root.
func own(f file) (out []string) {
	for _, i := range f.imports {
		if to, ok := strings.CutPrefix(i, module); ok {
			out = append(out, to)
		}
	}
	return out
}

// uses reports whether f imports the library or a package below it.
func uses(f file, library string) bool {
	return slices.ContainsFunc(f.imports, func(i string) bool { return under(i, library) })
}

// selects reports whether f uses pkg.name.
func selects(f file, pkg, name string) bool {
	found := false
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		found = found || ok && x.Name == pkg && sel.Sel.Name == name
		return true
	})
	return found
}

// texts returns the string literals of f.
func texts(f file) (out []string) {
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			out = append(out, lit.Value)
		}
		return true
	})
	return out
}

func TestRules(t *testing.T) {
	files := load(t)

	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			for _, f := range files {
				if why := r.check(f); why != "" {
					t.Errorf("%s: %s", f.path, why)
				}
			}

			planted, err := parse(r.planted.path, []byte(r.planted.source))
			require.NoError(t, err)
			require.NotEmpty(t, r.check(planted), "the rule must find its planted violation")
		})
	}
}

// A rule about a package that does not exist guards nothing.
func TestRulesNameWhatExists(t *testing.T) {
	for _, dir := range append(append(copyable(), notServices()...), named()...) {
		info, err := os.Stat(filepath.Join(root, dir))
		require.NoError(t, err)
		require.True(t, info.IsDir(), dir)
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	documented, seen := map[string]bool{}, map[string]bool{}
	for _, f := range load(t) {
		if f.test && f.dir != "services/test/layout" {
			continue
		}
		seen[f.dir] = true
		documented[f.dir] = documented[f.dir] || f.syntax.Doc != nil
	}

	for dir := range seen {
		if !documented[dir] {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

// TestNestedModulesFindWhatTheyImport: they replace tandem by this tree, so a
// new dependency here is one of theirs too, and must stand in their go.sum.
func TestNestedModulesFindWhatTheyImport(t *testing.T) {
	for _, dir := range []string{"services/bench", "services/domain/city/gen"} {
		list := exec.CommandContext(t.Context(), "go", "list", "-mod=readonly", "-deps", "./...")
		list.Dir = filepath.Join(root, dir)

		out, err := list.CombinedOutput()
		require.NoError(t, err, "%s: go mod tidy there mends it: %s", dir, out)
	}
}

func TestTopLevel(t *testing.T) {
	for _, name := range []string{"go.mod", "services", "emulator", "web", "localstack", "deploy", "docs", "docker-compose.yml", "Makefile", "README.md", "CHANGELOG.md", "LICENSE"} {
		_, err := os.Stat(filepath.Join(root, name))
		require.NoError(t, err, "a stranger looks for %s", name)
	}
}

var link = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)]*)?\)`)

// A reader follows the links of the documents; each must lead somewhere.
func TestLinksLeadSomewhere(t *testing.T) {
	documents := []string{filepath.Join(root, "README.md"), filepath.Join(root, "CHANGELOG.md")}
	for _, dir := range []string{"docs", "deploy", "services", "emulator"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, dir), func(p string, _ fs.DirEntry, err error) error {
			if filepath.Ext(p) == ".md" {
				documents = append(documents, p)
			}
			return err
		}))
	}

	for _, document := range documents {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			_, err := os.Stat(filepath.Join(filepath.Dir(document), m[1]))
			require.NoError(t, err, "%s links to %s", document, m[1])
		}
	}
}
