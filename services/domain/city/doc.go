// Package city is Montevideo: streets to drive along, addresses to search, and
// the base map that the browser draws. Everything is embedded (1.1 MB) and
// made by city/gen from OpenStreetMap; see data/NOTICE.md.
//
// # Routing
//
// Load returns a City, which is safe for concurrent use and never changes. A
// route is the quickest way along streets, at the speed that cars really reach
// there (A*, about a millisecond). Where no street lies near an end, the route is
// a straight line with Direct set; it counts as 1.3 times the distance, at
// 30 km/h. So the world outside Montevideo works too, for recorded trips.
//
// # Words
//
//	node        where streets meet
//	edge        a street between two nodes; an arc is one direction of it
//	snapped     a point that was moved to the nearest street
//	connection  the rest of an edge, between a snapped point and a node
//	spot        an address, suburb or place of interest
//
// # The base map
//
// Files returns map/NAME.json.gz, GeoJSON feature collections, gzipped, which the
// gateway serves at /city/VERSION/map/NAME.json. What is drawn close up only has files
// of its own, so that the first six, 310 kB, are enough to begin with:
//
//	sea          polygons of the Río de la Plata and the bay
//	areas        polygons of 2,000 m² and more; class: water, beach, park, pitch, works
//	mains        lines; class: trunk, primary, secondary
//	streets      lines; class: tertiary, street
//	rails        lines; class: absent for rails, stream for rivers and streams
//	labels       points; name; rank: 1 city, 2 suburb, 3 neighbourhood, 4 park
//	small-areas  polygons below 2,000 m²; class, as in areas
//	buildings    polygons
//	names        lines that a street's name runs along; name
//	paths        lines; class: service, path
package city
