package gateway

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestAnotherCityHasAnotherVersion(t *testing.T) {
	city := func(name, content string) fstest.MapFS { return fstest.MapFS{name: {Data: []byte(content)}} }
	now := cityVersion(city("map/roads.json", "{}"))

	require.Equal(t, now, cityVersion(city("map/roads.json", "{}")))
	require.NotEqual(t, now, cityVersion(city("map/roads.json", "[]")))
	require.NotEqual(t, now, cityVersion(city("map/mains.json", "{}")))
}
