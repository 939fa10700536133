import { expect, test } from "vitest";
import { layout, visible } from "../../src/map/labels";
import type { Picture } from "../../src/map/overlay";
import { inkOn, rgb } from "../../src/map/palette";
import { sceneOf } from "../../src/map/scene";
import { escaped, svgOf } from "../../src/map/svg";
import { made } from "./made";

const HOSTILE = ['<img src=x onerror="alert(1)">', "</text><script>alert(1)</script>", `"'&amp;]]>`, "bell\u0007 \ud800 half", "=cmd|' /C calc'!A0"];

const draw = (colours = "#183eab") => {
  const scene = sceneOf(made(4, 6, (i) => HOSTILE[i % HOSTILE.length]));
  const camera = { view: { x: 0, y: 0, z: 1 }, width: 900, height: 900, unit: 420 };
  const shown = new Uint8Array(scene.columns.id.length).fill(1);
  const labels = visible(layout(scene, camera, { family: "sans-serif", measure: (text) => text.length * 6, before: new Set(), selected: 0, shown, margin: 0 }), camera);
  const picture: Picture = {
    scene,
    camera,
    labels,
    colours: { ground: "#ffffff", panel: "#ffffff", ink: "#111111", quiet: "#555555", accent: "#1f4fd8", family: '"Evil" <b>, sans-serif', dark: false },
    colour: scene.columns.id.map((_, i) => (i % 7 === 3 ? null : colours)),
    selected: 0,
    hovered: null,
  };
  return { picture, text: svgOf(picture, shown, new Uint8Array(scene.leaves.length)) };
};

test("hostile names become text and nothing else, in a drawing that is well-formed XML", () => {
  const { text, picture } = draw();
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
  const kinds = new Set([...text.matchAll(/<([a-zA-Z]+)/g)].map((found) => found[1]));
  expect(parsed.documentElement.nodeName).toBe("svg");
  for (const kind of kinds) expect(["svg", "defs", "pattern", "path", "filter", "feGaussianBlur", "rect", "g", "circle", "polygon", "text"]).toContain(kind);
  expect(text).not.toMatch(/<[^>]*\son\w+=/i);
  expect(text).not.toMatch(/[\u0000-\u0008\ud800-\udfff]/);
  expect(picture.labels.length).toBeGreaterThan(3);
  expect(text).toContain("&#60;");
});

test("every disc is drawn, and one without a value is hatched, not coloured", () => {
  const { text, picture } = draw("#14a29a");
  const circles = [...text.matchAll(/<circle[^>]*fill="([^"]+)"/g)].map((found) => found[1]);
  expect(circles.length).toBe(picture.scene.leaves.length);
  expect(circles.filter((fill) => fill === "url(#hidden)").length).toBe([...picture.scene.leaves].filter((leaf) => picture.colour[leaf] === null).length);
});

test("letters that XML does not know are replaced", () => {
  expect(escaped("a\u0000b\ud800c😀<")).toBe("a\ufffdb\ufffdc😀&#60;");
});

test("a name within a disc reads at 4.5 to 1 on every colour", () => {
  const light = (colour: readonly number[]) => colour.map((v) => (v <= 10 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  for (let r = 0; r < 256; r += 15) for (let g = 0; g < 256; g += 15) for (let b = 0; b < 256; b += 15) {
    const [a, c] = [light([r, g, b]), light(rgb(inkOn([r, g, b], [255, 255, 255], 1)))].sort((p, q) => q - p);
    expect((a + 0.05) / (c + 0.05)).toBeGreaterThan(4.5);
  }
});
