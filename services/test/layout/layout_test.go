// Package layout holds the rules of direction: who may import whom, and where
// gin, the AWS SDK, SQL and the environment may be used. Each rule is one row;
// what it found is named by file.
package layout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "tandem/"

// file is one Go file of services/, localstack/ or web/.
type file struct {
	path    string // from the module's root: services/booking/run.go
	dir     string // services/booking
	test    bool
	imports []string
	syntax  *ast.File
}

func load(t *testing.T) []file {
	t.Helper()
	root := "../../.."
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
		if d.IsDir() && (rel == "web/node_modules" || rel == "services/bench" || rel == "services/domain/city/gen" || rel == "tools" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && rel != ".") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			return err
		}
		one := file{path: rel, dir: path.Dir(rel), test: strings.HasSuffix(rel, "_test.go"), syntax: f}
		for _, i := range f.Imports {
			one.imports = append(one.imports, strings.Trim(i.Path.Value, `"`))
		}
		out = append(out, one)
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, len(out), 50, "the tree was found")
	return out
}

func under(dir string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(r string) bool { return dir == r || strings.HasPrefix(dir, r+"/") })
}

// service is the folder right below services/ that a path lies in, when that
// is a service.
func service(dir string) string {
	parts := strings.Split(dir, "/")
	if len(parts) < 2 || parts[0] != "services" {
		return ""
	}
	if slices.Contains([]string{"cmd", "tools", "domain", "internal", "test", "bench", "demo", "client"}, parts[1]) {
		return ""
	}
	return parts[1]
}

// starred packages stand alone: copy the folder and it builds.
func starred() []string {
	return []string{
		"services/internal/queue/sqsworker", "services/internal/queue/outbox", "services/internal/queue/autoscale",
		"services/internal/stream/kinesisproducer", "services/internal/stream/shardreader",
		"services/internal/stream/shardgroup", "services/internal/stream/kpl",
	}
}

// mayImport says why from may not import to (both from the module's root), or "".
func mayImport(from, to string) string {
	mine, theirs := service(from), service(to)
	switch {
	case theirs != "" && mine != "" && mine != theirs:
		return "no service imports another: they meet over HTTP, SQS, Kinesis"
	case under(from, "services/domain") && !under(to, "services/domain", "services/internal"):
		return "domain imports only domain and internal"
	case under(from, "services/internal") && !under(to, "services/internal"):
		return "internal carries bytes: it imports only internal"
	case under(from, starred()...) && !under(to, starred()...):
		return "a starred package imports nothing of this module but a sibling"
	case under(to, "emulator") && !under(from, "emulator", "services/cmd", "services/test"):
		return "only cmd, testenv, bench and tests import the emulator"
	case under(from, "emulator") && !under(from, "emulator/conformance") && !under(to, "emulator", "localstack"):
		return "the emulator stands beside the ride app: it imports only localstack/"
	case under(to, "services/tools") && !under(from, "services/tools", "services/cmd", "services/console", "services/test"):
		return "tools are run by cmd and by the console's buttons"
	case under(to, "services/client") && !under(from, "services/client", "services/simulator", "services/tools", "services/cmd", "services/test"):
		return "the API's client is for who stands outside: the simulator and tools"
	case under(from, "services/client") && !under(to, "services/client", "services/domain/city", "services/domain/geo", "services/internal"):
		return "the API's client speaks HTTP only"
	case under(to, "services/cmd") && !under(from, "services/cmd"):
		return "nothing imports cmd"
	case mine == "simulator" && theirs != "simulator" && !under(to, "services/client", "services/domain/city", "services/domain/geo", "services/internal"):
		return "the simulator speaks HTTP only"
	case under(from, "services/domain/event"):
		return "event uses the standard library only"
	}
	return ""
}

func TestDirectionOfImports(t *testing.T) {
	for _, f := range load(t) {
		if f.test {
			continue
		}
		for _, i := range f.imports {
			to, ours := strings.CutPrefix(i, module)
			if !ours {
				continue
			}
			if why := mayImport(f.dir, to); why != "" {
				t.Errorf("%s imports %s: %s", f.path, to, why)
			}
		}
	}
}

// TestRulesBite shows that each rule can fail.
func TestRulesBite(t *testing.T) {
	for _, pair := range [][2]string{
		{"services/booking", "services/dispatch"}, {"services/domain/ride", "services/booking"},
		{"services/internal/postgres", "services/domain/ride"}, {"services/internal/stream/kpl", "services/internal/auth"},
		{"services/booking", "emulator"}, {"emulator", "services/booking"},
		{"services/booking", "services/tools/audit"}, {"services/console", "services/cmd/tandem"},
		{"services/simulator", "services/domain/ride"}, {"services/domain/event", "services/domain/geo"},
		{"services/booking", "services/client"}, {"services/client", "services/domain/ride"},
	} {
		require.NotEmpty(t, mayImport(pair[0], pair[1]), pair)
	}
	require.Empty(t, mayImport("services/console", "services/tools/audit"))
	require.Empty(t, mayImport("services/booking", "services/domain/ride"))
}

func TestWhereLibrariesAreUsed(t *testing.T) {
	base := func(f file) string { return path.Base(f.path) }
	rules := []struct {
		library string
		where   string
		allowed func(file) bool
	}{
		{"github.com/gin-gonic/gin", "internal/httpserver and services' http files", func(f file) bool {
			return f.dir == "services/internal/httpserver" || service(f.dir) != ""
		}},
		{"github.com/aws/aws-sdk-go-v2", "internal/queue, internal/stream, awsclient, a service's run.go, notification/sms.go, the console, tools", func(f file) bool {
			return under(f.dir, "services/internal/queue", "services/internal/stream", "services/internal/awsclient", "services/tools", "services/console") ||
				service(f.dir) != "" && (base(f) == "run.go" || base(f) == "sms.go")
		}},
		{"github.com/alecthomas/kong", "cmd/tandem", func(f file) bool { return under(f.dir, "services/cmd") }},
		{"github.com/gorilla/websocket", "mapfeed", func(f file) bool { return service(f.dir) == "mapfeed" }},
	}
	for _, f := range load(t) {
		if f.test || under(f.dir, "services/test", "emulator") {
			continue
		}
		for _, r := range rules {
			if slices.ContainsFunc(f.imports, func(i string) bool { return under(i, r.library) }) && !r.allowed(f) {
				t.Errorf("%s uses %s, which belongs in %s", f.path, r.library, r.where)
			}
		}
	}
}

// The environment is read, and the process ended, in one place.
func TestEnvironmentAndExitAreMainsAlone(t *testing.T) {
	banned := map[string]string{"os.Getenv": "", "os.LookupEnv": "", "os.Environ": "", "os.Exit": "", "log.Fatal": "", "log.Fatalf": ""}
	for _, f := range load(t) {
		// pgserver and supervisor hand an environment on to the processes they start.
		if f.test || under(f.dir, "services/cmd", "services/demo/pgserver", "services/demo/supervisor", "services/test") {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := sel.X.(*ast.Ident)
			if ok {
				if _, bad := banned[pkg.Name+"."+sel.Sel.Name]; bad {
					t.Errorf("%s uses %s.%s: that belongs in cmd/tandem", f.path, pkg.Name, sel.Sel.Name)
				}
			}
			return true
		})
	}
}

func TestNoInit(t *testing.T) {
	for _, f := range load(t) {
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function: side effects of an import are hidden", f.path)
			}
		}
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

// SQL lies with its schema's owner: in store files and migrations.
func TestSQLStaysWithItsOwner(t *testing.T) {
	owners := map[string]string{
		"ride.": "services/domain/ride", "account.": "services/gateway", "notification.": "services/notification",
		"history.": "services/history", "heatmap.": "services/heatmap", "shardgroup.": "services/internal/stream/shardgroup",
	}
	for _, f := range load(t) {
		if f.test || under(f.dir, "services/tools/audit", "services/test") {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text := strings.ToUpper(lit.Value)
			for schema, owner := range owners {
				for _, verb := range []string{"FROM ", "INTO ", "UPDATE ", "JOIN "} {
					if strings.Contains(text, verb+strings.ToUpper(schema)) && !under(f.dir, owner) {
						t.Errorf("%s has SQL on the schema %s, which %s owns", f.path, strings.TrimSuffix(schema, "."), owner)
					}
				}
			}
			return true
		})
	}
}

func TestTopLevel(t *testing.T) {
	for _, name := range []string{"go.mod", "services", "web", "localstack", "Makefile", "README.md", "CHANGELOG.md", "LICENSE", "docs"} {
		_, err := os.Stat("../../../" + name)
		require.NoError(t, err, "a stranger looks for %s", name)
	}
}
