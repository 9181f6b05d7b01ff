import Markdown, { RuleType, type MarkdownToJSX } from "markdown-to-jsx/react";
import type { ReactNode } from "react";
import { anchorOf, leadsTo } from "./chapters";
import { Code } from "./code";
import classes from "./learn-page.module.css";

/** A piece of the tutorial's Markdown. */
export function Text({ children, inline = false }: { children: string; inline?: boolean }) {
  return <Markdown options={inline ? { ...options, forceInline: true } : { ...options, forceBlock: true }}>{children}</Markdown>;
}

const options: MarkdownToJSX.Options = {
  slugify: anchorOf,
  wrapper: null,
  forceWrapper: false,
  disableParsingRawHTML: true,
  overrides: { a: Link, table: Table },
  renderRule: (next, node, _children, state) =>
    node.type === RuleType.codeBlock ? <Code key={state.key} language={node.lang} text={node.text} /> : next(),
};

function Link({ href, children }: { href?: string; children: ReactNode }) {
  const to = href && leadsTo(href);
  if (to) return <a href={to}>{children}</a>;

  return <span className={classes.source} title={href?.replace(/^(\.\.\/)+/, "")}>{children}</span>; // a file of the repository
}

/** A table is as wide as it must be, and is moved sideways by itself. */
function Table({ children }: { children: ReactNode }) {
  return <div className={classes.wide} tabIndex={0} role="region" aria-label="Table"><table>{children}</table></div>;
}
