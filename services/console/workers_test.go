package console

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/internal/workersfile"
)

// Workers come and go by the file: one that it has no more is not missed, and one that
// it has and that does not answer is.
func TestWorkersAreThoseOfTheFile(t *testing.T) {
	worker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"service":"dispatch","pid":1,"detail":{"handling":2}}`)
	}))
	defer worker.Close()
	path := filepath.Join(t.TempDir(), "workers.json")
	write := func(d *workersfile.Decision, urls ...string) {
		f := workersfile.File{Decision: d}
		for i, url := range urls {
			f.Workers = append(f.Workers, workersfile.Worker{Name: fmt.Sprintf("dispatch-%d", i+1), URL: url})
		}
		require.NoError(t, workersfile.Write(path, f))
	}

	g := newGatherer(Config{WorkersFile: path, log: slog.New(slog.DiscardHandler)}, &fakeQueues{}, testSigner(t))
	look := func() Overview {
		g.last = Overview{} // the next answer is not to be shared
		return g.overview(t.Context())
	}
	require.Empty(t, look().Workers, "there is no file yet")

	write(nil, worker.URL)
	o := look()
	require.Len(t, o.Workers, 1)
	require.True(t, o.Workers[0].OK)
	require.Equal(t, 2, o.Workers[0].Handling)
	require.Nil(t, o.Autoscale, "nobody decides")

	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	write(&workersfile.Decision{At: at, Want: 2, Min: 2, Max: 6, Because: "many wait"}, worker.URL, "http://127.0.0.1:1")
	o = look()
	require.Equal(t, []bool{true, false}, []bool{o.Workers[0].OK, o.Workers[1].OK})
	require.Equal(t, &Autoscale{At: at, Want: 2, Min: 2, Max: 6, Because: "many wait"}, o.Autoscale)
	require.Len(t, g.workers(t.Context()), 2, "who holds a message is asked of them all")

	require.NoError(t, os.WriteFile(path, []byte("{"), 0o600))
	o = look()
	require.Len(t, o.Workers, 2, "half a file says nothing about the workers")
	require.NotNil(t, o.Autoscale)

	write(nil, worker.URL)
	require.Len(t, look().Workers, 1, "one was retired")
}
