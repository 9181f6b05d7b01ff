/** One of a prediction's answers. */
export interface Choice {
  letter: string;
  text: string; // Markdown
}

/** What a chapter consists of: text, predictions between it, and where they are looked at again. */
export type Block =
  | { kind: "text"; text: string }
  | { kind: "choices"; index: number; choices: Choice[] }
  | { kind: "chosen"; of: number }; // how many predictions there were

const option = /^- \(([a-z])\) (.*)$/;

/** A chapter's blocks in order. A prediction is a list whose items begin with (a), (b) and so on. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let text: string[] = [];
  let choices: Choice[] = [];
  let groups = 0;
  let fenced = false;

  const endText = () => {
    const whole = text.join("\n").trim();
    if (whole) blocks.push({ kind: "text", text: whole });
    text = [];
  };
  const endChoices = () => {
    if (choices.length > 0) blocks.push({ kind: "choices", index: groups++, choices });
    choices = [];
  };

  for (const line of withoutLaws(markdown).split("\n")) {
    if (line.startsWith("```")) fenced = !fenced;
    const [, letter, first] = (!fenced && option.exec(line)) || [];
    const last = choices.at(-1);

    if (letter !== undefined && first !== undefined) {
      endText();
      choices.push({ letter, text: first });
    } else if (last && /^\s+\S/.test(line)) {
      last.text += ` ${line.trim()}`;
    } else {
      endChoices();
      text.push(line);
      if (!fenced && line.trim() === "## Why" && groups > 0) {
        endText();
        blocks.push({ kind: "chosen", of: groups });
      }
    }
  }

  endChoices();
  endText();
  return blocks;
}

// They say to a test what must be true of the numbers, and nothing to a reader.
const withoutLaws = (markdown: string) => markdown.replace(/^<!--[^]*?-->\n*/gm, "");

/** A block of code: what it is called, and what stands in it. */
export interface CodeText {
  name: string;
  code: string;
  copied: boolean; // a reader types it
}

/** A block's first comment says where it is from, or where it is typed. */
export function codeTextOf(language: string | undefined, text: string): CodeText {
  const [first = "", ...rest] = text.split("\n");

  const source = /^\/\/ (\S+\.\w+)(?:: (\w[\w-]*))?$/.exec(first);
  if (source) return { name: source[2] ? `${source[1]}, ${source[2]}` : (source[1] ?? ""), code: rest.join("\n"), copied: false };

  if (language === "sh") {
    const elsewhere = /^# (in a second terminal)$/.exec(first);
    return { name: elsewhere?.[1] ?? "type", code: elsewhere ? rest.join("\n") : text, copied: true };
  }
  return { name: language === "text" ? "it prints" : (language ?? "text"), code: text, copied: false };
}

/** A line of code in two parts: what runs, and the comment at its end. */
export function commentIn(line: string): [code: string, comment: string] {
  const at = /(^|\s)(\/\/ |# )/.exec(line);
  return at ? [line.slice(0, at.index + (at[1] ?? "").length), line.slice(at.index + (at[1] ?? "").length)] : [line, ""];
}
