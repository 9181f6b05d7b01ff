// Every colour, size and time of the web app. docs/design.md has the reasons. No other
// file of src has a colour of its own: tokens.test.ts holds both.

/** What a page is painted with. Each is a CSS variable of the same name, such as --queue-text. */
export const page = {
  light: {
    ground: "#f2f2f0", surface: "#ffffff", over: "#ffffff", raised: "#eef0f1",
    line: "#d8dcdf", edge: "#7b858f", text: "#0d1014", text2: "#4a545e",
    queue: "#c46b00", "queue-text": "#9a5400", "queue-mid": "#e6b877",
    stream: "#1a6fe0", "stream-text": "#0b56bd", "stream-mid": "#92bdf5",
    fault: "#b0123f", action: "#0d1014", "on-action": "#ffffff",
  },
  dark: {
    ground: "#0a0c0f", surface: "#12151a", over: "#1a1f25", raised: "#1c2127",
    line: "#2c323a", edge: "#66717d", text: "#f2f4f6", text2: "#b3bcc5",
    queue: "#ffb020", "queue-text": "#ffc257", "queue-mid": "#8a6420",
    stream: "#4c9dff", "stream-text": "#8cc1ff", "stream-mid": "#2f66a8",
    fault: "#ff7a9c", action: "#f2f4f6", "on-action": "#0a0c0f",
  },
} as const;

/** What the city is painted with: no blue water, no green parks, no yellow roads. */
export const city = {
  light: {
    land: "#f2f2f0", sea: "#dde1e4", shore: "#c3cace", park: "#e6eae4", works: "#ececea", building: "#e6e6e4",
    casing: "#dcdddb", street: "#ffffff", main: "#ffffff", trunk: "#ffffff", rail: "#d3d6d6",
    label: "#4d565e", halo: "#f2f2f0",
  },
  dark: {
    land: "#15181c", sea: "#0a0c0f", shore: "#0a0c0f", park: "#1a1f20", works: "#181b20", building: "#1b1f24",
    casing: "#15181c", street: "#272d33", main: "#343b43", trunk: "#404850", rail: "#2a2f35",
    label: "#98a1aa", halo: "#15181c",
  },
} as const;

/** How the paint of a rider's own car is drawn, in both schemes: muted, as paint is neither work nor a record. */
export const paints = {
  white: "#f4f5f6", silver: "#c3c8cd", grey: "#858c94", black: "#23272c", red: "#74393c", blue: "#34486b",
  glass: "#2a3036",
} as const;

export type Scheme = keyof typeof page;
export type Hue = "queue" | "stream";

/** The five sizes of type, in pixels, with their lines and weights. */
export const type = {
  13: { line: 18, weight: 500 }, // labels
  15: { line: 22, weight: 450 }, // the body
  20: { line: 26, weight: 600 }, // headings
  40: { line: 44, weight: 640 }, // a page's one number or sentence
  64: { line: 66, weight: 680 }, // the first page's headline
} as const;

export const space = { xs: 8, sm: 12, md: 16, lg: 24, xl: 40 } as const; // 4 and 64 are rare, and written out
export const radius = { mark: 4, control: 10, sheet: 16 } as const;
export const control = { desktop: 36, normal: 44, primary: 52 } as const; // heights; 36 beside a desktop's pointer only

export const motion = { press: "120ms", appear: "240ms", travel: "600ms", dissolve: "1200ms", ease: "cubic-bezier(.2, 0, 0, 1)" } as const;

export const shadow = "0 1px 2px rgb(0 0 0 / 12%), 0 12px 32px rgb(0 0 0 / 16%)"; // of a sheet that lies on a map
