package supervisor

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSilence(t *testing.T) {
	const after, every = 30 * time.Second, 3 * time.Second
	for name, tc := range map[string]struct {
		answers  []bool
		since    time.Duration
		hungWith int // answers until it hangs; 0: never
	}{
		"it answers":           {[]bool{true, true, true}, every, 0},
		"it hangs":             {[]bool{true, false, false, false, false, false, false, false, false, false, false}, every, 11},
		"almost":               {[]bool{true, false, false, false, false, false, false, false, false, false, true, false}, every, 0},
		"it is still starting": {make([]bool, 100), every, 0},
		"we stood still":       {[]bool{true, false, true, false, false}, time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s, hungWith := silence{after: after, most: 2 * every}, 0
			for i, answered := range tc.answers {
				if s.note(answered, tc.since) && hungWith == 0 {
					hungWith = i + 1
				}
			}
			require.Equal(t, tc.hungWith, hungWith)
		})
	}
}
