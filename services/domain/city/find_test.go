package city

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSearch(t *testing.T) {
	c := load(t)
	for _, q := range []string{"cordon", "Cordón", "CORDÓN"} {
		require.Equal(t, "Cordón", c.Search(q, 3)[0].Label)
	}
	require.Empty(t, c.Search("   ", 5))
	require.Empty(t, c.Search("zzzz", 5))
	require.Empty(t, c.Search("cordon", 0))
	require.Len(t, c.Search("a", 7), 7)
}

func TestSearchFindsTheNearestHouseNumber(t *testing.T) {
	c := load(t)
	for q, want := range map[string]string{
		"18 de julio 1200":         "Avenida 18 de Julio 1205",
		"Avenida 18 de Julio 1194": "Avenida 18 de Julio 1194",
		"18 de Julio, 1":           "Avenida 18 de Julio 854",
		"18 de julio 99999":        "Avenida 18 de Julio 2337",
		"8 de octubre 2500":        "Avenida 8 de Octubre 2497",
		"colonia 1000":             "Colonia 1065",
		"bvar artigas 1000":        "Bulevar General Artigas 984",
		"av. italia 3000":          "Avenida Italia 3009",
		"calle ejido 1100":         "Ejido 1095",
	} {
		require.Equal(t, want, c.Search(q, 5)[0].Label, q)
	}
	require.Equal(t, "Ruta 8", c.Search("ruta 8", 5)[0].Label, "its own name ends in a number")
	require.Equal(t, "Ciudad Vieja", c.Search("ciudad vieja 500", 5)[0].Label, "nothing there has a number")
}

func TestSearchRanksWhatPeopleMean(t *testing.T) {
	c := load(t)
	for q, want := range map[string]string{
		"18 de julio":         "Avenida 18 de Julio", // not the bank Itaú 18 de Julio
		"18 de jul":           "Avenida 18 de Julio",
		"artigas":             "Bulevar General Artigas",
		"rivera":              "Avenida General Rivera",
		"italia":              "Avenida Italia",
		"tres cruces":         "Terminal Tres Cruces", // not a bank there
		"pocitos":             "Pocitos",
		"independencia":       "Plaza Independencia",
		"centenario":          "Estadio Centenario",
		"teatro solis":        "Teatro Solís",
		"mercado del puerto":  "Mercado del Puerto",
		"colonia":             "Colonia", // not the suburb Colonia Nicolich
		"plaza":               "Plaza Independencia",
		"montevideo shopping": "Montevideo Shopping",
	} {
		require.Equal(t, want, c.Search(q, 5)[0].Label, q)
	}

	for i, p := range c.Search("rambla", 8) {
		require.Regexp(t, "^Rambla ", p.Label, "result %d: no hotel comes before the Ramblas", i)
	}
}

func TestSearchListsEachNameOnce(t *testing.T) {
	c := load(t)
	for _, q := range []string{"plaza independencia", "itau", "a", "18 de julio 1200"} {
		seen := map[string]bool{}
		for _, p := range c.Search(q, 50) {
			require.False(t, seen[p.Label], "%q lists %s twice", q, p.Label)
			seen[p.Label] = true
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	c := load(b)
	for b.Loop() {
		c.Search("18 de julio 1200", 8)
	}
}
