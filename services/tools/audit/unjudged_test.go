package audit

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each guarantee is judged or named with the reason why not: nobody takes "audit ok"
// for more than it is.
func TestEachGuaranteeIsJudgedOrNamed(t *testing.T) {
	t.Parallel()
	url, pool := database(t)
	s := newSite(t, url, pool)
	r := s.audit()

	said := map[int]bool{}
	for _, c := range r.Checks {
		said[c.Guarantee] = true
	}
	for _, u := range r.NotJudged {
		require.NotEmpty(t, u.Why)
		said[u.Guarantee] = true
	}

	doc, err := os.ReadFile("../../../docs/guarantees.md")
	require.NoError(t, err)
	rows := regexp.MustCompile(`(?m)^\| (\d+) \|`).FindAllSubmatch(doc, -1)
	require.NotEmpty(t, rows)
	for _, row := range rows {
		n, err := strconv.Atoi(string(row[1]))
		require.NoError(t, err)
		require.True(t, said[n], "guarantee %d", n)
	}
}

func TestWhatIsLeftOutIsNamed(t *testing.T) {
	numbers := func(cfg Config) (out []int) {
		for _, u := range unjudged(cfg) {
			out = append(out, u.Guarantee)
		}
		return slices.Compact(out)
	}
	cfg := Config{LedgerPath: "ledger", AtRest: true}
	cfg.AWS.Endpoint = "http://127.0.0.1:4566"
	require.Equal(t, []int{7, 8}, numbers(cfg))
	cfg.AtRest = false
	require.Equal(t, []int{7, 8, 9}, numbers(cfg))
	cfg.LedgerPath, cfg.NoStream = "", true
	require.Equal(t, []int{1, 3, 4, 5, 6, 7, 8, 9}, numbers(cfg))
}
