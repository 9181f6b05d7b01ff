/** The colours of the map and of what is drawn on it. The page around it takes its colours from the theme. */
export interface MapColours {
  land: string;
  sea: string;
  park: string;
  beach: string;
  works: string;
  building: string;
  casing: string;
  street: string;
  main: string;
  trunk: string;
  rail: string;
  label: string;
  halo: string;
  car: string;
  carEdge: string;
  highlight: string;
  pickup: string;
  dropoff: string;
  route: string;
}

export const light: MapColours = {
  land: "#f4f2ed", sea: "#c9dde4", park: "#dfe9d6", beach: "#f3e8cd", works: "#eae7e1", building: "#e9e5dd",
  casing: "#e0dbd1", street: "#ffffff", main: "#fdf6e4", trunk: "#f7e5bf", rail: "#d3cec4",
  label: "#56616b", halo: "#f9f8f5",
  car: "#24435c", carEdge: "#ffffff", highlight: "#e0701a", pickup: "#12665f", dropoff: "#b3305b", route: "#3d7fb8",
};

export const dark: MapColours = {
  land: "#171d23", sea: "#0d1a24", park: "#18241f", beach: "#25241e", works: "#1b2026", building: "#1d242b",
  casing: "#12171c", street: "#2a323a", main: "#343d46", trunk: "#46473f", rail: "#2b3138",
  label: "#9aa7b1", halo: "#12171c",
  car: "#8fd0e8", carEdge: "#0d1318", highlight: "#ffa44a", pickup: "#57b5a3", dropoff: "#f0789c", route: "#5fa8e0",
};
