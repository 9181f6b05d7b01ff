package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"tandem/services/internal/auth"
	"tandem/services/internal/lifecycle"
	"tandem/services/internal/telemetry"
)

// A service behind is told of the gateway's own span, and never of a stranger's.
func TestTheGatewayPassesOnItsOwnTrace(t *testing.T) {
	const strangers = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	var told string
	behind := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told = r.Header.Get(telemetry.Header) }))
	defer behind.Close()
	signer, err := auth.NewSigner(make([]byte, 32))
	require.NoError(t, err)
	provider := sdk.NewTracerProvider()
	g := &gateway{cfg: Config{Auth: signer}, env: lifecycle.Env{Traces: provider}, transport: http.DefaultTransport, buffers: &bufferPool{}}
	proxy, err := g.proxy("booking", behind.URL)
	require.NoError(t, err)

	ctx, span := provider.Tracer("test").Start(t.Context(), "POST")
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/rides", nil)
	r.Header.Set(telemetry.Header, strangers)
	proxy.ServeHTTP(httptest.NewRecorder(), r)
	require.Contains(t, told, span.SpanContext().SpanID().String())

	r = r.WithContext(t.Context())
	proxy.ServeHTTP(httptest.NewRecorder(), r)
	require.Empty(t, told)
}
