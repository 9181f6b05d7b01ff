package testenv

import "testing"

func startServer(t testing.TB) string {
	t.Helper()
	t.Fatalf("set %s to a Postgres server that tests may make databases on", DatabaseURLVar)
	return ""
}
