package pgserver

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// givenOut is the first port that the kernel assigns to whoever asks for any one.
func givenOut() int {
	low := 32768
	b, _ := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range") // only Linux has it
	_, _ = fmt.Sscan(string(b), &low)
	return low
}

func TestThePortIsNoneThatTheKernelGivesOut(t *testing.T) {
	if givenOut() < endOfPort {
		t.Skip("NOT TESTED: this machine's kernel assigns nearly every port: ip_local_port_range")
	}
	for name, last := range map[string]string{"first start": "", "a port of an earlier version": "45001"} {
		t.Run(name, func(t *testing.T) {
			s := &Server{opts: Options{Dir: t.TempDir()}}
			require.NoError(t, os.WriteFile(filepath.Join(s.opts.Dir, "port"), []byte(last), 0o600))
			require.NoError(t, s.choosePort())
			require.Less(t, s.port, givenOut())

			again := &Server{opts: s.opts}
			require.NoError(t, again.choosePort())
			require.Equal(t, s.port, again.port, "the port stays")
		})
	}
}

func TestAPortThatIsTakenIsNotChosen(t *testing.T) {
	first := &Server{opts: Options{Dir: t.TempDir()}}
	require.NoError(t, first.choosePort())
	other, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(first.port)))
	require.NoError(t, err)
	defer func() { _ = other.Close() }()

	second := &Server{opts: first.opts}
	require.NoError(t, second.choosePort())
	require.NotEqual(t, first.port, second.port)
}
