// Which clusters are named, where, and in how many lines: the largest first, and no name over another.

import { type Camera, HOME, scaleOf } from "./camera";
import { type Scene, Tier } from "./scene";
import { type Measure, wrapped } from "./text";

export type Look = "top" | "mid" | "leaf" | "inside";

export interface Label {
  cluster: number;
  look: Look;
  lines: readonly string[];
  /** a second, quiet line: the share */
  note: string;
  size: number;
  /** where it is held, in map units, and the middle of its box from there, in pixels */
  x: number;
  y: number;
  up: number;
  width: number;
  height: number;
}

export const MOST = 60;
const CELL = 4;
const WIDTH: Record<Look, number> = { top: 168, mid: 144, leaf: 128, inside: 0 };
const SIZE: Record<Look, number> = { top: 15.5, mid: 12, leaf: 11.5, inside: 12 };
const WEIGHT: Record<Look, number> = { top: 690, mid: 500, leaf: 480, inside: 540 };
export const NOTE = 0.78;
/** discs of this many pixels are bubbles: their names stand in them, and the names above make room */
const BUBBLE = 13;
/** names may lie over discs as small as this */
const DUST = 5;

export const fontOf = (look: Look, size: number, family: string): string => `${WEIGHT[look]} ${size}px ${family}`;
export const noteFont = (size: number, family: string): string => `500 ${(size * NOTE).toFixed(1)}px ${family}`;
export const leading = (size: number): number => Math.round(size * 1.22);
export const percent = (share: number): string => (share < 0.0005 ? "< 0.1 %" : `${(share * 100).toFixed(1)} %`);

export interface Wish {
  family: string;
  measure: Measure;
  /** clusters that had a label before: they keep theirs before others of their tier get one */
  before: ReadonlySet<number>;
  selected: number | null;
  shown: Uint8Array;
  /** pixels kept around the frame, so that a pan needs no new layout */
  margin: number;
  /** what lies over the frame: at home names keep out of it, elsewhere the map moves under it */
  boxes?: readonly Box[];
}

/** Labels of a view, in the order of their importance. No two boxes overlap. */
export function layout(scene: Scene, camera: Camera, wish: Wish): Label[] {
  const scale = scaleOf(camera);
  const { x, y } = scene.columns;
  const { margin, before, selected } = wish;
  // cells are tied to the map, not to the frame: a pan changes no decision
  const left = Math.floor((camera.view.x * scale - camera.width / 2 - margin) / CELL);
  const topmost = Math.floor((camera.view.y * scale - camera.height / 2 - margin) / CELL);
  const columns = Math.ceil((camera.width + 2 * margin) / CELL);
  const rows = Math.ceil((camera.height + 2 * margin) / CELL);
  const taken = new Uint8Array(columns * rows);
  const covered = bubbles(scene, scale, left, topmost, columns, rows);
  const atHome = camera.view.x === HOME.x && camera.view.y === HOME.y && camera.view.z === HOME.z;
  for (const [x0, y0, x1, y1] of (atHome && wish.boxes) || []) {
    const cell = (pixel: number, side: number, first: number, end: number) => Math.min(end, Math.max(0, Math.round((pixel - side / 2) / CELL) - first));
    const [from, to] = [x0, x1].map((pixel) => cell(pixel, camera.width, left, columns));
    for (let row = cell(y0, camera.height, topmost, rows); row < cell(y1, camera.height, topmost, rows); row++) taken.fill(1, row * columns + from, row * columns + to);
  }
  const most = MOST * (1 + (2 * margin) / camera.width) * (1 + (2 * margin) / camera.height);
  const made: Label[] = [];

  const place = (label: Label, clear: boolean): boolean => {
    const x0 = Math.floor((label.x * scale - label.width / 2) / CELL) - left;
    const x1 = Math.ceil((label.x * scale + label.width / 2) / CELL) - left;
    const y0 = Math.floor((label.y * scale + label.up - label.height / 2) / CELL) - topmost;
    const y1 = Math.ceil((label.y * scale + label.up + label.height / 2) / CELL) - topmost;
    // nothing is named outside of what zoom 1 shows: there it could not be read
    if (Math.abs(label.y * scale + label.up) + label.height / 2 > (camera.height / 2) * camera.view.z || Math.abs(label.x * scale) + label.width / 2 > (camera.width / 2) * camera.view.z) return false;
    if (x0 < 0 || y0 < 0 || x1 > columns || y1 > rows) return false;
    for (let row = y0; row < y1; row++) for (let cell = row * columns + x0; cell < row * columns + x1; cell++) if (taken[cell] || (clear && covered[cell])) return false;
    for (let row = y0; row < y1; row++) taken.fill(1, row * columns + x0, row * columns + x1);
    made.push(label);
    return true;
  };
  const tryOut = (i: number) => {
    const r = scene.radius[i] * scale;
    const tier = scene.tier[i];
    if (tier === Tier.Leaf && r < 7 && i !== selected) return;
    if (tier === Tier.Mid && r < 15 && i !== selected) return;
    if (Math.abs(x[i] - camera.view.x) * scale > camera.width / 2 + margin || Math.abs(y[i] - camera.view.y) * scale > camera.height / 2 + margin + r) return;
    // from inside a circle its own name says little
    if (tier !== Tier.Leaf && r > Math.max(camera.width, camera.height) * 0.75) return;
    if (!wish.shown[i] && i !== selected && scene.under[i].every((leaf) => !wish.shown[leaf])) return;
    const single = tier === Tier.Leaf || (scene.under[i].length === 1 && scene.under[i][0] === i);
    const inner = single && insideLabel(scene, i, r, wish);
    if (inner && place(inner, false)) return;
    const look: Look = tier === Tier.Top ? "top" : tier === Tier.Mid ? "mid" : "leaf";
    const label = freeLabel(scene, i, look, wish);
    const half = label.height / 2 + 3;
    const [upper, lower] = [-scene.above[i] * scale - half, scene.below[i] * scale + half];
    const beside = single ? [lower, upper] : [upper, lower];
    const middle = [0, label.height * 0.6, -label.height * 0.6];
    const put = (ups: number[], clear: boolean, aside = 0) => ups.some((up) => place({ ...label, x: label.x + (aside * label.width) / scale, up }, clear));
    const grain = scene.grain[i] * scale;
    const over = !single && (grain < DUST || (grain < BUBBLE && 2 * r > label.width));
    if (put(over ? middle : beside, !over) || (tier !== Tier.Top && i !== selected)) return;
    // a theme, or one that was asked for, is named in any case: beside bubbles rather than over them, which may be another's
    if (![0.3, -0.3].some((aside) => put(beside, true, aside))) put([...beside, ...middle, upper - label.height, lower + label.height], false);
  };

  if (selected !== null) tryOut(selected);
  // by tier: first those that were there, then the others
  for (let from = 0; from < scene.order.length; ) {
    let to = from;
    while (to < scene.order.length && scene.tier[scene.order[to]] === scene.tier[scene.order[from]]) to++;
    for (const old of [true, false]) {
      for (let k = from; k < to && made.length < most; k++) if (before.has(scene.order[k]) === old && scene.order[k] !== selected) tryOut(scene.order[k]);
    }
    from = to;
  }
  return made;
}

/** Cells under discs that are large enough to be seen as such. */
function bubbles(scene: Scene, scale: number, left: number, topmost: number, columns: number, rows: number): Uint8Array {
  const covered = new Uint8Array(columns * rows);
  for (const leaf of scene.leaves) {
    const r = scene.radius[leaf] * scale;
    // the largest come first
    if (r < BUBBLE / 2) break;
    const [cx, cy] = [(scene.columns.x[leaf] * scale) / CELL - left, (scene.columns.y[leaf] * scale) / CELL - topmost];
    const reach = r / CELL;
    for (let row = Math.max(0, Math.ceil(cy - reach)); row < Math.min(rows, cy + reach); row++) {
      const half = Math.sqrt(Math.max(0, reach ** 2 - (row + 0.5 - cy) ** 2));
      const [from, to] = [Math.max(0, Math.round(cx - half)), Math.min(columns, Math.round(cx + half))];
      if (from < to) covered.fill(1, row * columns + from, row * columns + to);
    }
  }
  return covered;
}

function freeLabel(scene: Scene, cluster: number, look: Look, wish: Wish): Label {
  const size = SIZE[look];
  const font = fontOf(look, size, wish.family);
  const lines = linesOf(scene, cluster, font, 2, WIDTH[look], wish.measure);
  const note = look === "top" ? percent(scene.columns.share[cluster]) : "";
  const width = Math.max(...lines.map((line) => wish.measure(line, font))) + 8;
  const height = lines.length * leading(size) + (note ? leading(size * NOTE) : 0) + 4;
  return { cluster, look, lines, note, size, x: scene.columns.x[cluster], y: scene.columns.y[cluster], up: 0, width, height };
}

/** A name within its own disc: all of it, or as much as a large disc can hold. */
function insideLabel(scene: Scene, cluster: number, r: number, wish: Wish): Label | null {
  if (r < 18) return null;
  const size = Math.min(16, Math.max(10.5, Math.round(r / 5)));
  const font = fontOf("inside", size, wish.family);
  const fit = (most: number, note: string, cut: boolean): Label | null => {
    const height = most * leading(size) + (note ? leading(size * NOTE) : 0);
    // letters do not fill their line's height: the corners may come nearer to the rim
    const room = (r - 4) ** 2 - (height / 2 - size * 0.3) ** 2;
    // in steps, so that a zoom meets lines it has met before
    const width = room > 0 ? Math.floor(Math.sqrt(room) / 4) * 8 : 0;
    if (width < 24) return null;
    const lines = linesOf(scene, cluster, font, most, width, wish.measure);
    const whole = (line: string, i: number) => !line.endsWith("…") || (cut && i > 0 && i === most - 1);
    if (!lines.every(whole)) return null;
    return { cluster, look: "inside", lines, note, size, x: scene.columns.x[cluster], y: scene.columns.y[cluster], up: 0, width: Math.max(...lines.map((line) => wish.measure(line, font))), height };
  };
  const share = percent(scene.columns.share[cluster]);
  for (let most = 1; most <= 5; most++) {
    const found = (r > 34 && fit(most, share, false)) || fit(most, "", false);
    if (found) return found;
  }
  for (let most = 5; most > 1 && r > 22; most--) {
    const found = fit(most, "", true);
    if (found) return found;
  }
  return null;
}

const known = new WeakMap<Scene, Map<string, string[]>>();

function linesOf(scene: Scene, cluster: number, font: string, most: number, width: number, measure: Measure): string[] {
  let lines = known.get(scene);
  if (!lines) known.set(scene, (lines = new Map()));
  const key = `${cluster} ${most} ${width} ${font}`;
  let found = lines.get(key);
  if (!found) {
    if (lines.size > 50_000) lines.clear();
    lines.set(key, (found = wrapped(scene.columns.name[cluster], most, width, (text) => measure(text, font))));
  }
  return found;
}

/** The label at a pixel, the most important first. */
export function labelAt(labels: readonly Label[], camera: Camera, px: number, py: number): Label | undefined {
  const scale = scaleOf(camera);
  return labels.find((label) => {
    const [dx, dy] = [(label.x - camera.view.x) * scale + camera.width / 2 - px, (label.y - camera.view.y) * scale + camera.height / 2 + label.up - py];
    return Math.abs(dx) <= label.width / 2 && Math.abs(dy) <= label.height / 2;
  });
}

/** x0, y0, x1, y1 in pixels of the frame. */
export type Box = readonly [number, number, number, number];

/** The labels that stand wholly in the frame and under none of the boxes that lie over it. */
export function visible(labels: readonly Label[], camera: Camera, boxes: readonly Box[] = []): Label[] {
  const scale = scaleOf(camera);
  const free = ({ x, y, up, width, height }: Label) => {
    const px = (x - camera.view.x) * scale + camera.width / 2;
    const py = (y - camera.view.y) * scale + camera.height / 2 + up;
    const [x0, x1, y0, y1] = [px - width / 2, px + width / 2, py - height / 2, py + height / 2];
    return x0 >= 0 && y0 >= 0 && x1 <= camera.width && y1 <= camera.height && !boxes.some((box) => x0 < box[2] && x1 > box[0] && y0 < box[3] && y1 > box[1]);
  };
  return labels.filter(free).slice(0, MOST);
}
