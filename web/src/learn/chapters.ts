/** A chapter of the tutorial, as docs/tutorial has it. */
export interface Chapter {
  number: number;
  file: string; // its name, to which other chapters link
  title: string;
  question: string;
  text: string; // Markdown, without title and question
}

// The text is part of the page's code: nothing is fetched, and it is always that of this version.
const files = import.meta.glob<string>("../../../docs/tutorial/*.md", { query: "?raw", import: "default", eager: true });

const byName = Object.fromEntries(Object.entries(files).map(([path, text]) => [path.split("/").at(-1) ?? path, text]));

export const chapters: Chapter[] = Object.entries(byName)
  .filter(([file]) => /^\d/.test(file))
  .map(([file, text]) => chapterOf(file, text))
  .sort((a, b) => a.number - b.number);

/** What stands before the chapters: what one needs, and how one begins. */
export const introduction: string = (byName["README.md"] ?? "").replace(/^# .*\n/, "");

/** A chapter's file: its number and title, its question in bold, and the rest. */
export function chapterOf(file: string, markdown: string): Chapter {
  const parts = /^# (\d+)\. (.+)\n+\*\*([^*]+)\*\*\n([^]*)$/.exec(markdown);
  if (!parts) throw new Error(`${file}: it must begin with "# N. Title" and a question in bold`);

  const [, number = "", title = "", question = "", text = ""] = parts;
  return { number: Number(number), file, title, question: question.replace(/\s+/g, " "), text: text.trim() };
}

/** The address of a chapter; without a number, that of the contents. */
export const addressOf = (number?: number): string => (number === undefined ? "/learn" : `/learn?chapter=${number}`);

/** The chapter that an address asks for: undefined is the contents, null one that is not there. */
export function chapterIn(search: string): Chapter | null | undefined {
  const wanted = new URLSearchParams(search).get("chapter");
  return wanted === null ? undefined : (chapters.find((c) => String(c.number) === wanted) ?? null);
}

/**
 * Where a link of the text leads in the app. Undefined: to a file of the repository, which
 * the app does not have.
 */
export function leadsTo(target: string): string | undefined {
  const own = /^http:\/\/(?:127\.0\.0\.1|localhost):8080(\/.*)?$/.exec(target); // the demo's usual address: this Tandem
  if (own) return own[1] ?? "/";
  if (/^(https?:|#)/.test(target)) return target;

  const [file = "", anchor] = target.split("#");
  const hash = anchor ? `#${anchor}` : "";
  if (file === "README.md") return addressOf() + hash;
  const chapter = chapters.find((c) => c.file === file);
  return chapter && addressOf(chapter.number) + hash;
}

/** A heading's anchor, as those who show Markdown make it. */
export const anchorOf = (heading: string): string => heading.toLowerCase().trim().replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-");
