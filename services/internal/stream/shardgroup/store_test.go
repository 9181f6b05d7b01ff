package shardgroup_test

import (
	"testing"

	"tandem/services/internal/stream/shardgroup"
)

// Two implementations, one contract: the SQL, and the model that a simulation runs on.
func TestTheSQLAndItsModelConform(t *testing.T) {
	t.Parallel()
	_, pool := testDatabase(t)
	shardgroup.Conform(t, pool)
}
