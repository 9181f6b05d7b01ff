// The files of the base map, and from which zoom on each is needed: what is drawn
// close up is fetched close up. services/domain/city/doc.go says what they hold.
export const cityFiles = {
  sea: 0, areas: 0, mains: 0, streets: 0, rails: 0, labels: 0,
  "small-areas": 14, buildings: 14, names: 14.5, paths: 15,
} as const;

export type CityFile = keyof typeof cityFiles;

/** A file's address. It has the version that the gateway told the page, so the browser keeps the file for good. */
export function addressOf(file: CityFile): string {
  const version = document.querySelector<HTMLMetaElement>("meta[name=city]")?.content ?? "";
  return `/city/${version || "latest"}/map/${file}.json`;
}
