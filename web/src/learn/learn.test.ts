import { describe, expect, test } from "vitest";
import { blocksOf, codeTextOf, commentIn } from "./blocks";
import { anchorOf, chapterIn, chapterOf, chapters, introduction, leadsTo } from "./chapters";
import { stored } from "./predictions";

describe("the chapters", () => {
  test("are in order, each with what a chapter has", () => {
    expect(chapters.map((c) => c.number)).toEqual([...chapters.map((c) => c.number)].sort((a, b) => a - b));
    expect(introduction.length).toBeGreaterThan(100);

    for (const { file, number, text, question } of chapters) {
      expect(file, "its number").toMatch(new RegExp(`^0?${number}-`));
      expect(question.at(-1), file).toBe("?");
      expect([...text.matchAll(/^## (.*)$/gm)].map(([, name]) => name), file).toEqual(["Predict", "Do", "See", "Why", "Elsewhere", "Break it"]);

      const kinds = blocksOf(text).map((b) => b.kind);
      expect(kinds, file).toContain("choices");
      expect(kinds, file).toContain("chosen");
    }
  });

  test("a file that is no chapter is an error that says what is missing", () => {
    expect(() => chapterOf("10-x.md", "# Side by side\n\n**Why?**\n")).toThrow('10-x.md: it must begin with "# N. Title" and a question in bold');
  });

  test("an address asks for the contents, a chapter, or one that is not there", () => {
    expect(chapterIn("")).toBeUndefined();
    expect(chapterIn("?chapter=1")?.number).toBe(1);
    for (const none of ["?chapter=0", "?chapter=", "?chapter=1e0", "?chapter=%F0%9F%98%80", "?chapter=01"]) expect(chapterIn(none)).toBeNull();
  });
});

test("links lead to chapters, to this Tandem, out, or nowhere", () => {
  expect(leadsTo("02-side-by-side.md")).toBe("/learn?chapter=2");
  expect(leadsTo("01-first-ride.md#why")).toBe("/learn?chapter=1#why");
  expect(leadsTo("README.md")).toBe("/learn");
  expect(leadsTo("#why")).toBe("#why");
  expect(leadsTo("http://127.0.0.1:8080/compare?step=2")).toBe("/compare?step=2");
  expect(leadsTo("http://localhost:8080")).toBe("/");
  expect(leadsTo("https://docs.aws.amazon.com/x")).toBe("https://docs.aws.amazon.com/x");
  expect(leadsTo("../../services/dispatch/worker.go")).toBeUndefined();
  expect(leadsTo("99-none.md")).toBeUndefined();
});

test("a heading's anchor is the one that GitHub gives it", () => {
  expect(anchorOf("Break it")).toBe("break-it");
  expect(anchorOf("Ten cases: queue, stream, both")).toBe("ten-cases-queue-stream-both");
});

describe("blocks", () => {
  test("a prediction is a list with letters, also over two lines; another list is text", () => {
    const text = "Before.\n\n- (a) One of\n  them.\n- (b) `Two`.\n\nAnd:\n\n- (a) No.\n- (b) Yes.\n\n- a list\n\n## Why\n\nBecause.";
    expect(blocksOf(text)).toEqual([
      { kind: "text", text: "Before." },
      { kind: "choices", index: 0, choices: [{ letter: "a", text: "One of them." }, { letter: "b", text: "`Two`." }] },
      { kind: "text", text: "And:" },
      { kind: "choices", index: 1, choices: [{ letter: "a", text: "No." }, { letter: "b", text: "Yes." }] },
      { kind: "text", text: "- a list\n\n## Why" },
      { kind: "chosen", of: 2 },
      { kind: "text", text: "Because." },
    ]);
  });

  test("a block of code stays as it is, and what is said to a test is left out", () => {
    const code = "```sh\n- (a) no choice\n## Why\n```";
    expect(blocksOf(`${code}\n\n<!-- law: anna +\n ben == 20 -->\n\nEnd.`)).toEqual([{ kind: "text", text: `${code}\n\nEnd.` }]);
  });

  test("code is named by where it is from, or by what one does with it", () => {
    expect(codeTextOf("go", "// services/a/b.go: delete\nx()")).toEqual({ name: "services/a/b.go, delete", code: "x()", copied: false });
    expect(codeTextOf("sh", "# in a second terminal\nmake demo")).toEqual({ name: "in a second terminal", code: "make demo", copied: true });
    expect(codeTextOf("sh", "make test")).toEqual({ name: "type", code: "make test", copied: true });
    expect(codeTextOf("text", "done")).toEqual({ name: "it prints", code: "done", copied: false });
  });

  test("a comment is told from an address", () => {
    expect(commentIn("a(b) // why")).toEqual(["a(b) ", "// why"]);
    expect(commentIn("curl http://127.0.0.1:8080/#a")).toEqual(["curl http://127.0.0.1:8080/#a", ""]);
    expect(commentIn("# all of it")).toEqual(["", "# all of it"]);
  });
});

test("what the browser remembers may be anything", () => {
  const having = (value: string | null) => ({ getItem: () => value });
  expect(stored(having('{"01.md":{"0":"b"}}'))).toEqual({ "01.md": { 0: "b" } });
  for (const odd of [null, "", "{", "[]", "3", '{"01.md":3}', '{"01.md":{"0":{}}}']) expect(stored(having(odd))).toEqual({});
  expect(stored({ getItem: () => { throw new DOMException("denied"); } })).toEqual({});
});
