import { expect, test } from "vitest";
import { labelBox } from "./label";

const [size, page] = [{ width: 100, height: 30 }, { width: 400, height: 300 }];

/** Whether the other pin, 10 px from its middle to its edge, lies free of the label. */
function free(x: number, y: number, otherX: number, otherY: number): boolean {
  const b = labelBox({ x, y }, size, { x: otherX, y: otherY }, page);
  return otherX + 10 <= b.left || otherX - 10 >= b.left + b.width || otherY + 10 <= b.top || otherY - 10 >= b.top + b.height;
}

test("a label lies on the right, and on the left where the page ends", () => {
  expect(labelBox({ x: 100, y: 100 }, size, undefined, page)).toMatchObject({ left: 116, top: 85 });
  expect(labelBox({ x: 350, y: 100 }, size, undefined, page)).toMatchObject({ left: 234 });
});

test("a label covers the other pin nowhere around it", () => {
  for (const x of [30, 100, 200, 370]) {
    for (let dx = -150; dx <= 150; dx += 5) for (let dy = -60; dy <= 60; dy += 5) expect(free(x, 150, x + dx, 150 + dy), `${x} ${dx} ${dy}`).toBe(true);
  }
});
