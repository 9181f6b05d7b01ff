package traces

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/profile"
	"tandem/services/history"
	"tandem/services/internal/auth"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/postgres"
	"tandem/services/internal/stream/shardgroup"
	"tandem/services/internal/telemetry"
	"tandem/services/location"
	"tandem/services/nearby"
	"tandem/services/test/collector"
	"tandem/services/test/testenv"
)

// TestASampledPointIsSeenByEveryReader sends two batches of points, one of them traced,
// and compares what the collector got with the page.
func TestASampledPointIsSeenByEveryReader(t *testing.T) {
	t.Parallel()
	signer, err := auth.NewSigner(bytes.Repeat([]byte("k"), 32))
	require.NoError(t, err)
	p := &parts{collector: collector.Start(t), signer: signer}
	database, pool := testenv.Database(t, history.Schema(), postgres.Schema{Name: shardgroup.SchemaName, FS: shardgroup.Migrations()})
	aws := testenv.Emulator(t)
	backend, err := profile.BackendByName(profile.Emulator)
	require.NoError(t, err)

	take := p.run(t, "location", func(ctx context.Context, env lifecycle.Env) error {
		return location.Run(ctx, env, location.Config{AWS: aws, Auth: signer, Profile: profile.Fast(), Backend: backend})
	})
	p.run(t, "history", func(ctx context.Context, env lifecycle.Env) error {
		return history.Run(ctx, env, history.Config{DatabaseURL: database, AWS: aws, Auth: signer, Profile: profile.Fast()})
	})
	near := p.run(t, "nearby", func(ctx context.Context, env lifecycle.Env) error {
		return nearby.Run(ctx, env, nearby.Config{AWS: aws, Auth: signer, Profile: profile.Fast(), Backend: backend})
	})
	t.Cleanup(p.stop)
	p.must(t, auth.Service, "test", http.MethodGet, near+"/readyz", "")

	const trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	now := time.Now().UnixMilli()
	batch := func(first int64) string {
		const point = `{"seq":%[1]d,"at":%[1]d,"lat":-34.9065,"lon":-56.1995},`
		return `{"points":[` + fmt.Sprintf(point, first) + strings.TrimSuffix(fmt.Sprintf(point, first+1), ",") + `]}`
	}
	p.headers = map[string]string{telemetry.Header: "00-" + trace + "-" + parent + "-01"}
	p.must(t, auth.Driver, "dora", http.MethodPost, take+"/v1/points", batch(now))
	p.headers = map[string]string{telemetry.Header: "00-" + trace + "-" + parent + "-00"}
	p.must(t, auth.Driver, "dora", http.MethodPost, take+"/v1/points", batch(now+10))

	require.Eventually(t, func() bool {
		var stored int
		return pool.QueryRow(t.Context(), `SELECT count(*) FROM history.points`).Scan(&stored) == nil && stored == 4
	}, patience, look)
	require.Eventually(t, func() bool {
		_, seen := p.send(t, auth.Service, "test", http.MethodGet, near+"/v1/seen?driver=dora", "")
		return strings.Count(string(seen), `"seq"`) == 4
	}, patience, look)
	p.stop()

	// Which reader is first is not for a test to say.
	lines := strings.SplitAfter(tree(p.collector.Spans(), trace, parent), "\n")
	slices.SortStableFunc(lines[1:len(lines)-1], strings.Compare)
	require.Equal(t, onPage(t, "the trace of a point"), strings.Join(lines, ""), "docs/tracing.md shows another trace than the collector got")
	for _, body := range p.collector.Raw() {
		require.NotContains(t, string(body), "34.90")
		require.NotContains(t, string(body), "dora")
	}
}
