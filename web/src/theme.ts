import {
  ActionIcon, Alert, Anchor, Badge, Button, createTheme, defaultVariantColorsResolver, Input, Paper, rem, type CSSVariablesResolver, type MantineColorsTuple,
} from "@mantine/core";
import { control, motion, page, radius, shadow, space, type, type Scheme } from "./tokens";

type Ten = [string, string, string, string, string, string, string, string, string, string];
const tuple = (...colours: Ten): MantineColorsTuple => colours;

// Mantine asks for ten shades. Ink has two: on the dark page the first, on the light one the last.
const [d, l] = [page.dark, page.light];
const ink = tuple(d.text, d.text, d.text, d.text, d.text2, d.edge, l.text2, l.text2, l.text, l.text);
const dark = tuple(d.text, d.text2, d.text2, d.text2, d.line, d.raised, d.raised, d.surface, d.ground, d.ground);
const gray = tuple(l.raised, l.raised, l.raised, l.line, l.edge, l.text2, l.text2, l.text2, l.text, l.text);
const fault = tuple(d.fault, d.fault, d.fault, d.fault, d.fault, l.fault, l.fault, l.fault, l.fault, l.fault);

const pixels = <K extends string>(sizes: Record<K, number>) => Object.fromEntries(Object.entries<number>(sizes).map(([k, px]) => [k, rem(px)])) as Record<K, string>;
const sizes = { xs: 13, sm: 15, md: 15, lg: 20, xl: 40 } as const;
const lineHeight = (px: keyof typeof type) => String(type[px].line / px);
const heading = (px: keyof typeof type) => ({ fontSize: rem(px), lineHeight: lineHeight(px), fontWeight: String(type[px].weight) });

const heights: Record<string, number> = { xs: control.desktop, md: control.primary };

export const theme = createTheme({
  primaryColor: "ink",
  primaryShade: { light: 9, dark: 0 },
  colors: { ink, dark, gray, fault },
  black: l.text,
  white: l.surface,
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'Inter Variable', system-ui, sans-serif", // ids stay in Inter: no second font
  fontSizes: pixels(sizes),
  lineHeights: { xs: lineHeight(13), sm: lineHeight(15), md: lineHeight(15), lg: lineHeight(20), xl: lineHeight(40) },
  fontWeights: { regular: "450", medium: "600", bold: "640" },
  headings: { fontWeight: "600", sizes: { h1: heading(40), h2: heading(20), h3: heading(20), h4: heading(20), h5: heading(15), h6: heading(15) } },
  spacing: pixels(space),
  radius: pixels({ xs: radius.mark, sm: radius.mark, md: radius.control, lg: radius.sheet, xl: radius.sheet }),
  shadows: { xs: shadow, sm: shadow, md: shadow, lg: shadow, xl: shadow },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,

  // Controls are neutral whatever they are asked for: a hue is not theirs to have.
  variantColorResolver: (input) => {
    const border = (colour: string) => `${rem(1)} solid ${colour}`;
    const hover = "color-mix(in srgb, var(--text) 10%, transparent)";
    switch (input.variant) {
      case "filled":
        return { background: "var(--action)", hover: "color-mix(in srgb, var(--action) 86%, var(--ground))", color: "var(--on-action)", border: border("var(--action)") };
      case "light":
        return { background: "var(--raised)", hover, color: "var(--text)", border: border("transparent") };
      case "outline":
        if (input.color === "fault") return { background: "transparent", hover, color: "var(--fault)", border: border("var(--fault)") };
        return { background: "transparent", hover, color: "var(--text)", border: border("var(--edge)") };
      case "subtle":
        return { background: "transparent", hover, color: "var(--text)", border: border("transparent") };
      case "white": // on ink
        return { background: "color-mix(in srgb, var(--on-action) 16%, var(--action))", hover: "color-mix(in srgb, var(--on-action) 26%, var(--action))", color: "var(--on-action)", border: border("transparent") };
      default:
        return defaultVariantColorsResolver(input);
    }
  },

  components: {
    Button: Button.extend({ vars: (_, { size = "sm" }) => ({ root: { "--button-height": rem(heights[size] ?? control.normal), "--button-fz": rem(15) } }) }),
    ActionIcon: ActionIcon.extend({ vars: () => ({ root: { "--ai-size": rem(control.desktop) } }) }),
    Alert: Alert.extend({ defaultProps: { variant: "light" } }),
    Anchor: Anchor.extend({ defaultProps: { underline: "always" } }), // ink alone marks no link
    Badge: Badge.extend({ defaultProps: { tt: "none", radius: "sm", variant: "outline" } }),
    Input: Input.extend({ vars: () => ({ wrapper: { "--input-height": rem(control.normal), "--input-bd": "var(--edge)", "--input-bd-focus": "var(--text)" } }) }),
    Paper: Paper.extend({ defaultProps: { radius: "lg" } }),
  },
});

/** The tokens as CSS variables, and Mantine's own colours made of them. */
export const variables: CSSVariablesResolver = () => ({
  variables: Object.fromEntries(Object.entries(motion).map(([name, value]) => [`--${name}`, value])),
  light: painted("light"),
  dark: painted("dark"),
});

function painted(scheme: Scheme): Record<string, string> {
  const tokens = Object.fromEntries(Object.entries(page[scheme]).map(([name, value]) => [`--${name}`, value]));

  return {
    ...tokens,
    "--mantine-color-text": "var(--text)",
    "--mantine-color-bright": "var(--text)",
    "--mantine-color-body": "var(--surface)",
    "--mantine-color-dimmed": "var(--text2)",
    "--mantine-color-placeholder": "var(--text2)",
    "--mantine-color-anchor": "var(--text)",
    "--mantine-color-error": "var(--fault)",
    "--mantine-color-fault-text": "var(--fault)",
    "--mantine-color-default": "var(--surface)",
    "--mantine-color-default-hover": "var(--raised)",
    "--mantine-color-default-color": "var(--text)",
    "--mantine-color-default-border": "var(--edge)",
    "--mantine-color-disabled": "var(--raised)",
    "--mantine-color-disabled-color": "var(--text2)",
    "--mantine-color-disabled-border": "var(--line)",
  };
}
