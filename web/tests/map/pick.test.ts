import fc from "fast-check";
import { expect, test } from "vitest";
import { hitGrid, nearest } from "../../src/map/hit";
import { caught, inside } from "../../src/map/lasso";
import { hull, sceneOf } from "../../src/map/scene";
import { made } from "./made";

const scene = sceneOf(made(5, 60));
const { x, y } = scene.columns;
const place = fc.double({ min: -1.2, max: 1.2, noNaN: true });

test("the grid finds the disc that a look at every disc finds", () => {
  const hit = hitGrid(scene);
  fc.assert(
    fc.property(place, place, fc.double({ min: 0, max: 0.3, noNaN: true }), (px, py, slack) => {
      const gaps = [...scene.leaves].map((leaf) => Math.hypot(x[leaf] - px, y[leaf] - py) - scene.radius[leaf]);
      const least = Math.min(...gaps);
      const found = hit(px, py, slack);
      if (least > slack) expect(found).toBeNull();
      else if (least < slack) expect(found === null ? Infinity : gaps[scene.leaves.indexOf(found)]).toBe(least);
    }),
    { numRuns: 500 },
  );
});

test("every disc is found at its own centre, also if it is the only one", () => {
  const hit = hitGrid(scene);
  for (const leaf of scene.leaves) expect(hit(x[leaf], y[leaf], 0)).toBe(leaf);
  const alone = sceneOf(made(1, 1));
  expect(hitGrid(alone)(alone.columns.x[1], alone.columns.y[1], 0)).toBe(1);
  expect(hitGrid(sceneOf(made(0, 0)))(0, 0, 1)).toBeNull();
});

test("keys reach only what passes the filters", () => {
  const shown = new Uint8Array(x.length);
  expect(nearest(scene, shown, 0, 0)).toBeNull();
  shown[7] = 1;
  expect(nearest(scene, shown, -1, -1)).toBe(7);
});

test("a lasso catches the base clusters whose centre it holds, and no faint ones", () => {
  fc.assert(
    fc.property(place, place, fc.double({ min: 0.05, max: 0.8, noNaN: true }), (cx, cy, r) => {
      const round = Array.from({ length: 64 }, (_, k): [number, number] => [cx + r * Math.cos((k * Math.PI) / 32), cy + r * Math.sin((k * Math.PI) / 32)]);
      const shown = Uint8Array.from(x, (_, i) => (i % 4 ? 1 : 0));
      const found = new Set(caught(scene, shown, round));
      for (const leaf of scene.leaves) {
        const far = Math.hypot(x[leaf] - cx, y[leaf] - cy);
        if (far < r * 0.998 && shown[leaf]) expect(found.has(leaf)).toBe(true);
        if (far > r || !shown[leaf]) expect(found.has(leaf)).toBe(false);
      }
    }),
  );
  expect(caught(scene, new Uint8Array(x.length).fill(1), [])).toEqual([]);
});

test("the outline of a theme holds the centres of all its base clusters", () => {
  for (let i = 0; i < x.length; i++) if (scene.parent[i] < 0) for (const leaf of scene.under[i]) expect(inside(hull(scene, i), x[leaf], y[leaf])).toBe(true);
});

test("discs have true area, and siblings that touch nobody do not overlap", () => {
  const [a, b] = scene.leaves;
  expect(scene.radius[a] ** 2 / scene.radius[b] ** 2).toBeCloseTo(scene.columns.conversations[a] / scene.columns.conversations[b], 4);
  const touching = { id: ["t", "a", "b", "c"], parent: [null, "t", "t", "t"], name: ["", "", "", ""], conversations: [600, 100, 100, 400], share: [1, 0.2, 0.2, 0.6], x: [0, -0.1, 0.1, 0], y: [0, 0, 0, 0.28] };
  const three = sceneOf(touching);
  expect(three.radius[1]).toBeCloseTo(0.1 / 1.04, 2);
  expect(three.radius[3]).toBeCloseTo(0.2 / 1.04, 2);
});
