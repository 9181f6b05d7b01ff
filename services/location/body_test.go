package location

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tandem/services/internal/auth"
	"tandem/services/internal/httpserver"
	"tandem/services/internal/lifecycle"
)

// packed returns a gzip member of each text.
func packed(t testing.TB, texts ...string) string {
	t.Helper()
	var b bytes.Buffer
	for _, text := range texts {
		z := gzip.NewWriter(&b)
		_, err := z.Write([]byte(text))
		require.NoError(t, err)
		require.NoError(t, z.Close())
	}
	return b.String()
}

func TestGzipBodies(t *testing.T) {
	now := time.Now().UnixMilli()
	good := fmt.Sprintf(`{"points":[{"seq":%d,"at":%d,"lat":-34.9,"lon":-56.1},{"seq":%d,"at":%d,"lat":-34.9,"lon":-56.1}]}`, now, now, now+1, now)
	filled := func(to int) string { return good + strings.Repeat(" ", to-len(good)) }
	noise := make([]byte, maxBody)
	for i := range noise {
		noise[i] = byte(rand.IntN(256))
	}
	whole := packed(t, good)
	wrongSum := []byte(whole)
	wrongSum[len(wrongSum)-8] ^= 1

	for name, tc := range map[string]struct {
		coding, body string
		status       int
		says         string
	}{
		"packed":                      {"gzip", whole, 202, `"accepted":2`},
		"in capitals":                 {"GZIP", whole, 202, `"accepted":2`},
		"by its old name":             {"x-gzip", whole, 202, `"accepted":2`},
		"not packed, and says so":     {"identity", good, 202, `"accepted":2`},
		"in two members":              {"gzip", packed(t, good[:50], good[50:]), 202, `"accepted":2`},
		"as large as may be":          {"gzip", packed(t, filled(maxBody)), 202, `"accepted":2`},
		"a byte too large":            {"gzip", packed(t, filled(maxBody+1)), 413, "at most 262144 bytes"},
		"a bomb":                      {"gzip", packed(t, strings.Repeat(" ", 50<<20)), 413, "at most 262144 bytes"},
		"a bomb of members":           {"gzip", packed(t, strings.Repeat(" ", maxBody), strings.Repeat(" ", maxBody)), 413, "at most 262144 bytes"},
		"too large as it is sent":     {"gzip", packed(t, string(noise)), 413, "at most 262144 bytes"},
		"cut in its middle":           {"gzip", whole[:len(whole)/2], 400, "not whole gzip"},
		"cut in its head":             {"gzip", whole[:5], 400, "not whole gzip"},
		"without its check sum":       {"gzip", whole[:len(whole)-8], 400, "not whole gzip"},
		"with another's check sum":    {"gzip", string(wrongSum), 400, "not whole gzip"},
		"rubbish behind it":           {"gzip", whole + "rubbish", 400, "not whole gzip"},
		"zeros behind it":             {"gzip", whole + strings.Repeat("\x00", 512), 400, "not whole gzip"},
		"a second value":              {"gzip", packed(t, good, "{}"), 400, "send one value"},
		"not packed, and says it is":  {"gzip", good, 400, "not whole gzip"},
		"packed, and does not say so": {"", whole, 400, "cannot be read"},
		"nothing":                     {"gzip", "", 400, "The body is empty"},
		"nothing, packed":             {"gzip", packed(t, ""), 400, "The body is empty"},
		"packed by another":           {"br", whole, 415, `\"br\"`},
		"packed twice":                {"gzip, gzip", packed(t, whole), 415, `\"gzip, gzip\"`},
	} {
		t.Run(name, func(t *testing.T) {
			signer, stream := testSigner(t), &counting{}
			s := &service{stream: stream, putWithin: time.Second, now: time.Now, memory: newMemory(), stats: newStats()}
			h, err := httpserver.NewHandler(t.Context(), httpserver.Options{Name: "location", Auth: signer, Routes: s.routes(),
				Env: lifecycle.Env{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}})
			require.NoError(t, err)
			req, rec := request(t, signer, auth.Identity{Subject: "d", Role: auth.Driver}, tc.body), httptest.NewRecorder()
			if tc.coding != "" {
				req.Header.Set("Content-Encoding", tc.coding)
			}

			h.ServeHTTP(rec, req)
			require.Equal(t, tc.status, rec.Code, rec.Body.String())
			require.Contains(t, rec.Body.String(), tc.says)
			require.Equal(t, tc.status == 415, rec.Header().Get("Accept-Encoding") == "gzip")
			if tc.status == 202 {
				require.Equal(t, 2, stream.points)
				return
			}
			require.Equal(t, "application/problem+json", rec.Header().Get("Content-Type"))
			require.Zero(t, stream.points)
		})
	}
}
