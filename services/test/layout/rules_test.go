package layout

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
)

// rule is one row: check returns what is wrong with a file, or "". Each has a
// violation to show that it can fail.
type rule struct {
	name    string
	check   func(file) string
	planted planted
}

type planted struct{ path, source string }

// copyable packages are copied by others: the folder, with the siblings that it
// names, builds anywhere (docs/copying.md).
func copyable() []string {
	return []string{
		"services/internal/queue/sqsworker", "services/internal/queue/outbox", "services/internal/queue/autoscale", "services/internal/queue/sqstest",
		"services/internal/stream/kinesisproducer", "services/internal/stream/shardreader",
		"services/internal/stream/shardgroup", "services/internal/stream/kpl",
	}
}

// notServices are the folders of services/ that are no service.
func notServices() []string {
	return []string{"services/client", "services/cmd", "services/demo", "services/domain", "services/internal", "services/test", "services/tools", "services/bench"}
}

// named are the other packages that a rule makes an exception for.
func named() []string {
	return []string{
		"emulator", "emulator/conformance", "localstack", "services/simulator", "services/console", "services/mapfeed", "services/gateway",
		"services/domain/event", "services/domain/ride", "services/domain/city", "services/domain/geo", "services/notification", "services/history", "services/heatmap", "services/speeding",
		"services/internal/httpserver", "services/internal/httpclient", "services/internal/problem", "services/internal/auth", "services/internal/awsclient",
		"services/internal/queue", "services/internal/stream", "services/demo/pgserver", "services/demo/supervisor", "services/tools/audit", "services/tools/deadletter",
	}
}

// service returns the folder right below services/ that a path lies in, when
// that is a service; else "".
func service(dir string) string {
	rest, ok := strings.CutPrefix(dir, "services/")
	if !ok || under(dir, notServices()...) {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return "services/" + name
}

func rules() []rule {
	out := directions()
	out = append(out, libraries()...)
	return append(out, manners()...)
}

// imports makes a rule of a condition on each import that one package of this
// module has of another. Tests may import more.
func imports(name, why string, bad func(from, to string) bool, from, to string) rule {
	return rule{
		name: name,
		check: func(f file) string {
			if f.test || under(f.dir, "services/test", "emulator/conformance") {
				return ""
			}
			for _, i := range own(f) {
				if bad(f.dir, i) {
					return "imports " + i + ": " + why
				}
			}
			return ""
		},
		planted: planted{from + "/x.go", "package x\nimport _ \"" + module + to + "\"\n"},
	}
}

// directions say who may import whom.
func directions() []rule {
	return []rule{
		imports("services apart", "no service imports another: they meet over HTTP, SQS, Kinesis", func(from, to string) bool {
			return service(from) != "" && service(to) != "" && service(from) != service(to)
		}, "services/booking", "services/dispatch"),

		imports("services below cmd", "a service imports domain and internal alone", func(from, to string) bool {
			return service(from) != "" && under(to, "services/cmd", "services/demo", "services/tools", "services/client") &&
				!(service(from) == "services/console" && under(to, "services/tools")) &&
				!(service(from) == "services/simulator" && under(to, "services/client"))
		}, "services/booking", "services/client"),

		imports("domain below services", "domain imports only domain and internal", func(from, to string) bool {
			return under(from, "services/domain") && !under(to, "services/domain", "services/internal")
		}, "services/domain/ride", "services/booking"),

		imports("internal at the bottom", "internal carries bytes: it imports only internal", func(from, to string) bool {
			return under(from, "services/internal") && !under(to, "services/internal")
		}, "services/internal/postgres", "services/domain/ride"),

		imports("copyable packages stand alone", "a copyable package imports nothing of this module but a sibling", func(from, to string) bool {
			return under(from, copyable()...) && !under(to, copyable()...)
		}, "services/internal/stream/kpl", "services/internal/auth"),

		imports("the fake SQS is for tests", "only tests import it", func(_, to string) bool {
			return under(to, "services/internal/queue/sqstest")
		}, "services/internal/queue/sqsworker", "services/internal/queue/sqstest"),

		imports("the emulator is for cmd and tests", "only cmd, bench and tests import the emulator", func(from, to string) bool {
			return under(to, "emulator") && !under(from, "emulator", "services/cmd")
		}, "services/booking", "emulator"),

		imports("the emulator knows nothing of the app", "it stands beside the ride app and imports only localstack/", func(from, to string) bool {
			return under(from, "emulator") && !under(to, "emulator", "localstack")
		}, "emulator/sqs", "services/domain/event"),

		imports("tools", "tools are run by cmd and by the console's buttons", func(from, to string) bool {
			return under(to, "services/tools") && !under(from, "services/tools", "services/cmd", "services/console")
		}, "services/demo", "services/tools/audit"),

		imports("cmd on top", "nothing imports cmd, and only cmd imports the demo", func(from, to string) bool {
			return under(to, "services/cmd") && !under(from, "services/cmd") || under(to, "services/demo") && !under(from, "services/cmd", "services/demo")
		}, "services/console", "services/demo/runfile"),

		imports("the client is an outsider", "it speaks HTTP only", func(from, to string) bool {
			return under(from, "services/client") && !under(to, "services/client", "services/domain/city", "services/domain/geo", "services/internal")
		}, "services/client", "services/domain/ride"),

		imports("the simulator is an outsider", "it speaks HTTP only, by services/client", func(from, to string) bool {
			return under(from, "services/simulator") && !under(to, "services/simulator", "services/client", "services/domain/city", "services/domain/geo", "services/internal")
		}, "services/simulator", "services/domain/ride"),

		imports("event is for any consumer", "event uses the standard library only", func(from, _ string) bool {
			return under(from, "services/domain/event")
		}, "services/domain/event", "services/domain/geo"),
	}
}

// library makes a rule of where a library may be used.
func library(name, where string, allowed func(file) bool, path string) rule {
	return rule{
		name: "where " + name + " is used",
		check: func(f file) string {
			if f.test || under(f.dir, "services/test", "emulator") || !uses(f, name) || allowed(f) {
				return ""
			}
			return "uses " + name + ", which belongs in " + where
		},
		planted: planted{path, "package x\nimport _ \"" + name + "\"\n"},
	}
}

// libraries say what is used where.
func libraries() []rule {
	return []rule{
		library("github.com/gin-gonic/gin", "internal/httpserver and the files of a service that are named http*.go", func(f file) bool {
			return f.dir == "services/internal/httpserver" || service(f.dir) != "" && strings.HasPrefix(f.base, "http")
		}, "services/booking/rides.go"),

		library("github.com/aws/aws-sdk-go-v2", "internal/queue, internal/stream, awsclient, a service's run.go, notification/sms.go, the console, tools", func(f file) bool {
			return under(f.dir, "services/internal/queue", "services/internal/stream", "services/internal/awsclient", "services/tools", "services/console") ||
				service(f.dir) != "" && (f.base == "run.go" || f.base == "sms.go")
		}, "services/booking/http_rides.go"),

		library("github.com/jackc/pgx/v5", "internal/postgres, the owners of a schema, and who opens pools for them", usesPostgres, "services/domain/geo/geo.go"),

		library("github.com/alecthomas/kong", "cmd/tandem", func(f file) bool { return under(f.dir, "services/cmd") }, "services/booking/run.go"),

		library("go.opentelemetry.io/otel/sdk", "internal/telemetry: the others know spans, and not where they go", func(f file) bool {
			return f.dir == "services/internal/telemetry"
		}, "services/booking/run.go"),

		library("github.com/gorilla/websocket", "mapfeed", func(f file) bool { return service(f.dir) == "services/mapfeed" }, "services/booking/http.go"),
	}
}

// usesPostgres reports whether a file may speak to Postgres: the owner of a
// schema, or who opens pools.
func usesPostgres(f file) bool {
	return under(f.dir, "services/internal/postgres", "services/internal/queue/outbox", "services/internal/stream/shardgroup",
		"services/domain/ride", "services/domain/points", "services/gateway", "services/notification", "services/history", "services/heatmap", "services/speeding",
		"services/booking", "services/dispatch", "services/tools", "services/demo", "services/cmd", "services/bench")
}

// manners say what a file may not do.
func manners() []rule {
	return []rule{
		{
			name: "environment and exit are main's",
			check: func(f file) string {
				// pgserver and supervisor hand an environment on to the processes they start. Each
				// program of the tutorial is a main.
				if f.test || under(f.dir, "services/cmd", "services/demo/pgserver", "services/demo/supervisor", "services/test", "services/tools/lab") {
					return ""
				}
				for _, name := range []string{"os.Getenv", "os.LookupEnv", "os.Environ", "os.Exit", "log.Fatal", "log.Fatalf"} {
					pkg, fn, _ := strings.Cut(name, ".")
					if selects(f, pkg, fn) {
						return "uses " + name + ": that belongs in cmd/tandem"
					}
				}
				return ""
			},
			planted: planted{"services/booking/run.go", "package booking\nfunc x() { os.Exit(1) }\n"},
		},
		{
			name: "no init",
			check: func(f file) string {
				for _, d := range f.syntax.Decls {
					if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
						return "has an init function: side effects of an import are hidden"
					}
				}
				return ""
			},
			planted: planted{"services/booking/run.go", "package booking\nfunc init() {}\n"},
		},
		{
			name:    "SQL stays with its schema's owner",
			check:   foreignSQL,
			planted: planted{"services/booking/run.go", "package booking\nconst x = `SELECT id FROM ride.rides`\n"},
		},
		{
			name: "errors become problem documents in one place",
			check: func(f file) string {
				// The emulator answers as AWS does, but for its own /_aws/faults.
				if f.test || under(f.dir, "services/internal/httpserver", "services/internal/httpclient", "services/internal/problem", "services/test", "emulator") {
					return ""
				}
				if selects(f, "problem", "ContentType") || slices.ContainsFunc(texts(f), func(s string) bool { return strings.Contains(s, "problem+json") }) {
					return "writes or reads problem documents: that is httpserver's and httpclient's"
				}
				return ""
			},
			planted: planted{"services/gateway/proxy.go", "package gateway\nfunc x(h http.Header) { h.Set(`Content-Type`, problem.ContentType) }\n"},
		},
		{
			name:    "internal knows no ride",
			check:   knowsRides,
			planted: planted{"services/internal/ledger/ledger.go", "package ledger\ntype RideEntry struct{}\n"},
		},
		{
			name: "a copyable package's tests are copied with it",
			check: func(f file) string {
				if !f.test || !under(f.dir, copyable()...) || strings.HasSuffix(f.base, "tandem_test.go") {
					return ""
				}
				for _, to := range own(f) {
					if !under(to, copyable()...) {
						return "imports " + to + ": a test that needs Tandem belongs in a file named *tandem_test.go"
					}
				}
				return ""
			},
			planted: planted{"services/internal/stream/kpl/kpl_test.go", "package kpl\nimport _ \"tandem/emulator\"\n"},
		},
	}
}

// foreignSQL finds statements on another package's tables. Audit reads every
// schema, in one read-only snapshot.
func foreignSQL(f file) string {
	if f.test || under(f.dir, "services/tools/audit", "services/test") {
		return ""
	}
	owners := map[string]string{
		"ride.": "services/domain/ride", "account.": "services/gateway", "notification.": "services/notification",
		"history.": "services/history", "heatmap.": "services/heatmap", "speeding.": "services/speeding", "shardgroup.": "services/internal/stream/shardgroup",
		"operations.": "services/tools/deadletter",
	}
	for _, text := range texts(f) {
		text = strings.ToUpper(text)
		for schema, owner := range owners {
			for _, verb := range []string{"FROM ", "INTO ", "UPDATE ", "JOIN "} {
				if strings.Contains(text, verb+strings.ToUpper(schema)) && !under(f.dir, owner) {
					return "has SQL on the schema " + strings.TrimSuffix(schema, ".") + ", which " + owner + " owns"
				}
			}
		}
	}
	return ""
}

// rideWord finds the app's nouns in a name: RideEntry, myRide, driver_id; but not
// ErrorCodeOverride, which is the SDK's.
var rideWord = regexp.MustCompile(`((^|[a-z_])R|(^|_)r)(ide|ides|ider|iders)($|[A-Z_0-9])|(^|[a-z_])(D|d)river(s|ID|_id)?($|[A-Z_0-9])`)

// knowsRides finds names of the app in what carries bytes. auth is excepted: it
// knows the roles.
func knowsRides(f file) string {
	if f.test || !under(f.dir, "services/internal") || under(f.dir, "services/internal/auth") {
		return ""
	}
	found := ""
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && rideWord.MatchString(id.Name) {
			found = "names " + id.Name + ": internal knows no ride"
		}
		return true
	})
	return found
}
