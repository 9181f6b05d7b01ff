import Markdown, { RuleType, type MarkdownToJSX } from "markdown-to-jsx/react";
import { Children, type ReactNode } from "react";
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
  overrides: { a: Link, table: Table, th: Head },
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
  return <div className={classes.wide} tabIndex={0} role="group" aria-label="Table"><table>{children}</table></div>;
}

/** What is over a table's first column may be empty: then it is the head of nothing. */
function Head({ children }: { children?: ReactNode }) {
  return Children.count(children) > 0 ? <th>{children}</th> : <td />;
}
