package gateway_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// A cookie reaches the paths of its role alone, and no script; and what one role
// was given opens no other, by whatever name it is sent.
func TestACookieIsOfOneRole(t *testing.T) {
	base, _ := start(t, true)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/session/rider", nil)
	require.NoError(t, err)
	req.Header.Set("Origin", base)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())

	var paths []string
	cookies := resp.Cookies()
	for _, c := range cookies {
		paths = append(paths, c.Path)
		require.True(t, c.HttpOnly)
		require.Equal(t, http.SameSiteStrictMode, c.SameSite)
	}
	slices.Sort(paths)
	require.Equal(t, []string{"/rider", "/session/rider"}, paths)

	for role, want := range map[string]int{"rider": http.StatusOK, "admin": http.StatusUnauthorized, "driver": http.StatusUnauthorized} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/"+role+"/v1/rides", nil)
		require.NoError(t, err)
		req.AddCookie(&http.Cookie{Name: "tandem_" + role, Value: cookies[0].Value})
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, want, resp.StatusCode, role)
	}
}
