import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const harbour: MantineColorsTuple = [
  "#ecf7f5", "#d7ece8", "#abd9d0", "#7cc5b7", "#57b5a3",
  "#3fa996", "#1f8476", "#166f63", "#12665f", "#064c46",
];

const slate: MantineColorsTuple = [
  "#c9d1d6", "#b5bec5", "#95a1aa", "#6d7b86", "#46535e",
  "#333f49", "#27313a", "#1a222a", "#141b21", "#0d1318",
];

export const theme = createTheme({
  primaryColor: "harbour",
  primaryShade: { light: 7, dark: 6 },
  autoContrast: true,
  colors: { harbour, dark: slate },
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace",
  defaultRadius: "md",
  cursorType: "pointer",
  headings: { fontWeight: "650" },
});

/** Dimmed text that is still easy to read on every surface. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: { "--mantine-color-dimmed": "#566069" },
  dark: { "--mantine-color-dimmed": "#a3afb8" },
});
