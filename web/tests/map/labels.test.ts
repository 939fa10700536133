import fc from "fast-check";
import { expect, test } from "vitest";
import { type Camera, scaleOf } from "../../src/map/camera";
import { type Label, labelAt, layout, MOST, visible, type Wish } from "../../src/map/labels";
import { sceneOf } from "../../src/map/scene";
import { clipped, direction, wrapped } from "../../src/map/text";
import { made } from "./made";

const NAMES = ["Fix CSS layout", "日本語のメールを丁寧に書き直して送信する方法を教える", "ترجمة النصوص القانونية إلى العربية بدقة", "Wishes 🎉👩‍👩‍👧‍👦 for birthdays and other days", "a".repeat(300), "", "One\n\ttwo   three", "Plan a long trip through many countries with small children and a dog"];
const measure = (text: string, font: string) => text.length * Number.parseFloat(font.split(" ")[1]) * 0.55;
const wish = (change: Partial<Wish> = {}): Wish => ({ family: "sans-serif", measure, before: new Set(), selected: null, shown: new Uint8Array(20_000).fill(1), margin: 300, ...change });
const scenes = [sceneOf(made(5, 8, (i) => NAMES[i % NAMES.length])), sceneOf(made(8, 50, (i) => NAMES[i % NAMES.length])), sceneOf(made(10, 500))];
const camera = (x: number, y: number, z: number): Camera => ({ view: { x, y, z }, width: 800, height: 700, unit: 320 });

const box = (label: Label, now: Camera) => {
  const [px, py] = [label.x * scaleOf(now), label.y * scaleOf(now) + label.up];
  return [px - label.width / 2, px + label.width / 2, py - label.height / 2, py + label.height / 2];
};

test("no label lies over another, at any place and zoom, whatever the names are", () => {
  const at = fc.double({ min: -0.8, max: 0.8, noNaN: true });
  fc.assert(
    fc.property(fc.constantFrom(...scenes), at, at, fc.double({ min: 1, max: 40, noNaN: true }), (scene, x, y, z) => {
      const now = camera(x, y, z);
      const made = layout(scene, now, wish());
      const boxes = made.map((label) => box(label, now));
      boxes.forEach(([l, r, t, b], i) => {
        for (const [l2, r2, t2, b2] of boxes.slice(i + 1)) expect(l < r2 && r > l2 && t < b2 && b > t2).toBe(false);
      });
      expect(visible(made, now).length).toBeLessThanOrEqual(MOST);
    }),
    { numRuns: 60 },
  );
});

test("a pan takes no label away from what stays in the frame, and moves none on the map", () => {
  for (const scene of scenes) {
    let before: ReadonlySet<number> = new Set();
    let last: Label[] = [];
    for (let step = 0; step < 12; step++) {
      const now = camera(-0.3 + (step * 37) / (320 * 4), 0.1, 4);
      const next = layout(scene, now, wish({ before }));
      for (const label of visible(last, now)) {
        const same = next.find((other) => other.cluster === label.cluster);
        expect(same && [same.up, same.lines]).toEqual([label.up, label.lines]);
      }
      last = next;
      before = new Set(next.map((label) => label.cluster));
    }
    expect(last.length).toBeGreaterThan(0);
  }
});

test("themes are named at zoom 1, base clusters from near by, and the selected one first", () => {
  const scene = scenes[2];
  const far = layout(scene, camera(0, 0, 1), wish());
  expect(far.filter((label) => label.look === "top").length).toBe(10);
  expect(far.some((label) => label.look === "leaf")).toBe(false);
  const near = layout(scene, camera(0.6, 0, 9), wish());
  expect(near.some((label) => label.look === "leaf" || label.look === "inside")).toBe(true);
  expect(layout(scene, camera(0, 0, 1), wish({ selected: 7 }))[0].cluster).toBe(7);
});

test("what does not pass the filters has no label", () => {
  const scene = scenes[1];
  const shown = new Uint8Array(scene.columns.id.length);
  shown.fill(1, 0, 51);
  for (const label of layout(scene, camera(0, 0, 5), wish({ shown }))) expect(scene.under[label.cluster].some((leaf) => shown[leaf])).toBe(true);
  expect(layout(scene, camera(0, 0, 5), wish({ shown: new Uint8Array(shown.length) }))).toEqual([]);
});

test("labels act where they stand, and those under a panel are not drawn", () => {
  const now = camera(0, 0, 1);
  const labels = layout(scenes[1], now, wish());
  const first = visible(labels, now)[0];
  const [left, right, top, bottom] = box(first, now);
  expect(labelAt(labels, now, (left + right) / 2 + 400, (top + bottom) / 2 + 350)).toBe(first);
  expect(labelAt(labels, now, -900, -900)).toBeUndefined();
  expect(visible(labels, now, [[left + 400, top + 350, right + 400, bottom + 350]])).not.toContain(first);
});

test("lines keep to their width, lose no letter in two halves, and end in an ellipsis only if cut", () => {
  const wide = (text: string) => text.length * 7;
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...NAMES), fc.string({ unit: "grapheme", maxLength: 200 })), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 80, max: 300 }), (name, most, width) => {
      const lines = wrapped(name, most, width, wide);
      expect(lines.length).toBeLessThanOrEqual(most);
      for (const line of lines) {
        expect(wide(line)).toBeLessThanOrEqual(width);
        expect(line).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/);
      }
      const bare = (text: string) => text.replace(/[\s\p{Cc}]/gu, "");
      if (!lines.some((line) => line.endsWith("…"))) expect(bare(lines.join(""))).toBe(bare(name));
    }),
  );
  expect(clipped("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 8, (text) => [...new Intl.Segmenter().segment(text)].length * 4)).toBe("👩‍👩‍👧‍👦👩‍👩‍👧‍👦");
  expect(direction("– ترجمة")).toBe("rtl");
  expect(direction("Translate ترجمة")).toBe("ltr");
});

test("at home a theme whose name would lie under a panel is named beside it", () => {
  const now = camera(0, 0, 1);
  for (const scene of scenes.slice(0, 2)) {
    for (const theme of visible(layout(scene, now, wish()), now).filter((label) => label.look === "top")) {
      const [left, right, top, bottom] = box(theme, now);
      const panel = [left + 400, top + 350, right + 400, bottom + 350] as const;
      const shown = visible(layout(scene, now, wish({ boxes: [panel] })), now, [panel]);
      expect(shown.map((label) => label.cluster)).toContain(theme.cluster);
    }
  }
});
