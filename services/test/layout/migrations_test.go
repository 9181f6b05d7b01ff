package layout

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	createsTable = regexp.MustCompile(`CREATE TABLE (?:IF NOT EXISTS )?([\w.]+)`)
	sqlComment   = regexp.MustCompile(`--.*`)
	createsIndex = regexp.MustCompile(`CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?([\w.]+)\s+ON (ONLY )?([\w.]+)`)
)

// beforeTheRule are the indexes that were built while writers waited. Nothing with rows was
// ever upgraded through them; no other one is added.
var beforeTheRule = []string{
	"open_rides_of_a_rider", "ended_rides", "sessions_person", "accounts_by_sign_in", "outbox_set_aside", "outbox_waiting",
	"leases_epoch", "deliveries_sms", "deliveries_created",
}

// holdsUp returns the indexes for which a migration holds up those who write to a table
// that may have rows, and those that a build which was ended would leave behind for good.
func holdsUp(sql string) (indexes []string) {
	up, _, _ := strings.Cut(sql, "-- +goose Down")
	up = sqlComment.ReplaceAllString(up, "")
	var isNew []string
	for _, m := range createsTable.FindAllStringSubmatch(up, -1) {
		isNew = append(isNew, m[1])
	}

	for _, m := range createsIndex.FindAllStringSubmatch(up, -1) {
		concurrently, name, only, table := m[1] != "", m[2], m[3] != "", m[4]
		drops := regexp.MustCompile(`DROP INDEX CONCURRENTLY IF EXISTS [\w.]*\b` + regexp.QuoteMeta(name) + `\b`).MatchString(up)
		if !only && !slices.Contains(isNew, table) && !(concurrently && drops) {
			indexes = append(indexes, name)
		}
	}
	return indexes
}

func TestMigrationsHoldUpNoWriters(t *testing.T) {
	for sql, held := range map[string]bool{
		"CREATE TABLE a.t (x int); CREATE INDEX i ON a.t (x)":                                     false,
		"CREATE INDEX i ON a.t (x)":                                                               true,
		"CREATE UNIQUE INDEX i ON a.t (x)":                                                        true,
		"CREATE INDEX i ON ONLY a.t (x)":                                                          false,
		"CREATE INDEX CONCURRENTLY i ON a.t (x)":                                                  true,
		"DROP INDEX CONCURRENTLY IF EXISTS a.i;\nCREATE INDEX CONCURRENTLY i ON a.t (x)":          false,
		"DROP INDEX CONCURRENTLY IF EXISTS a.other;\nCREATE INDEX CONCURRENTLY i ON a.t (x)":      true,
		"ALTER TABLE a.t ADD COLUMN y int;\n-- +goose Down\nCREATE INDEX again ON a.t (x)":        false,
		"-- by hand: CREATE INDEX i ON a.t (x)\nSELECT 1":                                         false,
		"CREATE TABLE a.other (x int); CREATE INDEX i\n    ON a.t (x); CREATE INDEX j ON a.other": true,
	} {
		require.Equal(t, held, len(holdsUp(sql)) > 0, sql)
	}

	seen := 0
	require.NoError(t, filepath.WalkDir(root+"/services", func(p string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(p, ".sql") || filepath.Base(filepath.Dir(p)) != "migrations" {
			return err
		}

		sql, err := os.ReadFile(p)
		seen++
		for _, index := range holdsUp(string(sql)) {
			require.Contains(t, beforeTheRule, index, "%s: CONTRIBUTING.md, \"How it is built\", says how an index is built on a table with rows", p)
		}
		return err
	}))
	require.Greater(t, seen, 20)
}
