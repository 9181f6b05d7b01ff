import { expect, test } from "vitest";
import { visible } from "./format";

test("a text from outside shows what would not be seen in it, and keeps its lines", () => {
  expect(visible('{"a": 1}\n\tمرحبا 🚕')).toBe('{"a": 1}\n\tمرحبا 🚕');
  expect(visible("ab\u202Ecd\u200B\u0000\uFEFF\u2028")).toBe("ab⟨U+202E⟩cd⟨U+200B⟩⟨U+0000⟩⟨U+FEFF⟩⟨U+2028⟩");
});
