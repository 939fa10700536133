import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inSight, tops } from "../src/ui/virtual";

describe("a window onto a long list", () => {
  it("holds everything that is in sight, and little more, for any heights and any scroll", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 300 }), fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 900 }), (heights, at, height) => {
        const edges = tops(heights.length, (i) => heights[i]);
        const scroll = at * edges[heights.length];
        const [from, to] = inSight(edges, scroll, height, 0);
        heights.forEach((_, i) => {
          const seen = edges[i + 1] > scroll && edges[i] < scroll + height;
          if (seen) expect(i >= from && i < to).toBe(true);
        });
        for (let i = from; i < to - 1; i++) expect(edges[i + 1] >= scroll && edges[i] <= scroll + height).toBe(true);
      }),
    );
  });

  it("of an empty list is empty", () => {
    expect(inSight(tops(0, () => 30), 0, 500, 8)).toEqual([0, 0]);
  });
});
