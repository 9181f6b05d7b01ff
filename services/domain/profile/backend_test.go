package profile_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tandem/services/domain/profile"
)

func TestBackendByName(t *testing.T) {
	for _, name := range []string{profile.Emulator, profile.LocalStack, profile.AWS} {
		b, err := profile.BackendByName(name)
		require.NoError(t, err)
		require.Equal(t, name, b.Name)
		require.NotZero(t, b.Buckets)
	}
	_, err := profile.BackendByName("azure")
	require.ErrorContains(t, err, "emulator, localstack or aws")
}
