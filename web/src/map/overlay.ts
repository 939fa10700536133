// What lies over the discs: outlines of what is selected or pointed at, names, the lasso.

import { type Camera, scaleOf, toScreen } from "./camera";
import { fontOf, type Label, leading, NOTE, noteFont, percent } from "./labels";
import type { Line } from "./lasso";
import { inkOn, opacity, type Palette, rgb } from "./palette";
import { hull, type Scene } from "./scene";
import { direction, type Measure, wrapped } from "./text";

export interface Picture {
  scene: Scene;
  camera: Camera;
  colours: Palette;
  /** those in the frame */
  labels: readonly Label[];
  colour: readonly (string | null)[];
  selected: number | null;
  hovered: number | null;
}

/** Ink and whether the name needs a halo: names within discs stand on the disc's own colour. */
export function inkOf(picture: Picture, label: Label): { ink: string; halo: boolean; quiet: string } {
  const { colours, colour, camera, scene } = picture;
  const own = colour[label.cluster];
  if (label.look === "inside" && own) {
    const r = scene.radius[label.cluster] * scaleOf(camera);
    const ink = inkOn(rgb(own), rgb(colours.ground), opacity(r, 0));
    return { ink, halo: false, quiet: ink };
  }
  const strong = label.look === "top" || label.cluster === picture.selected || label.cluster === picture.hovered;
  return { ink: strong || label.look === "inside" ? colours.ink : colours.quiet, halo: true, quiet: colours.quiet };
}

/** Each line of a label with its middle, in pixels from the middle of its box. */
export function rows(label: Label, family: string): { text: string; y: number; font: string; note: boolean }[] {
  const lead = leading(label.size);
  const noteLead = label.note ? leading(label.size * NOTE) : 0;
  const start = -(label.lines.length * lead + noteLead) / 2;
  const made = label.lines.map((text, i) => ({ text, y: start + (i + 0.5) * lead, font: fontOf(label.look, label.size, family), note: false }));
  if (label.note) made.push({ text: label.note, y: start + label.lines.length * lead + noteLead / 2, font: noteFont(label.size, family), note: true });
  return made;
}

export function paintOverlay(context: CanvasRenderingContext2D, picture: Picture, measure: Measure, lasso: Line | null) {
  const { camera, colours } = picture;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  if (picture.hovered !== null && picture.hovered !== picture.selected) outline(context, picture, picture.hovered, 1.25);
  if (picture.selected !== null) outline(context, picture, picture.selected, 2);
  for (const label of picture.labels) {
    const [x, y] = toScreen(camera, label.x, label.y);
    const { ink, halo, quiet } = inkOf(picture, label);
    for (const row of rows(label, colours.family)) {
      context.font = row.font;
      context.direction = direction(row.text);
      if (halo) {
        context.strokeStyle = colours.ground;
        context.lineWidth = row.note ? 3 : 4;
        context.strokeText(row.text, x, y + label.up + row.y);
      }
      context.fillStyle = row.note ? quiet : ink;
      context.fillText(row.text, x, y + label.up + row.y);
    }
  }
  if (picture.hovered !== null && !picture.labels.some((label) => label.cluster === picture.hovered)) plate(context, picture, picture.hovered, measure);
  if (lasso && lasso.length > 1) {
    context.beginPath();
    for (const [x, y] of lasso) context.lineTo(...toScreen(camera, x, y));
    context.closePath();
    context.globalAlpha = 0.12;
    context.fillStyle = colours.accent;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = colours.accent;
    context.lineWidth = 1.5;
    context.setLineDash([5, 4]);
    context.stroke();
    context.setLineDash([]);
  }
}

const hulls = new WeakMap<Scene, Map<number, [number, number][]>>();

/** The corners of a cluster's outline, in pixels, some pixels outside its discs. */
export function outlineOf(scene: Scene, camera: Camera, cluster: number): [number, number][] {
  let known = hulls.get(scene);
  if (!known) hulls.set(scene, (known = new Map()));
  let corners = known.get(cluster);
  if (!corners) known.set(cluster, (corners = hull(scene, cluster)));
  const middle = corners.reduce((sum, [x, y]) => [sum[0] + x / corners.length, sum[1] + y / corners.length], [0, 0]);
  return corners.map(([x, y]) => {
    const far = Math.hypot(x - middle[0], y - middle[1]) || 1;
    const [px, py] = toScreen(camera, x, y);
    return [px + ((x - middle[0]) / far) * 7, py + ((y - middle[1]) / far) * 7];
  });
}

function outline(context: CanvasRenderingContext2D, { scene, camera, colours }: Picture, cluster: number, width: number) {
  context.beginPath();
  if (scene.under[cluster].length === 1) {
    const leaf = scene.under[cluster][0];
    const [x, y] = toScreen(camera, scene.columns.x[leaf], scene.columns.y[leaf]);
    context.arc(x, y, Math.max(1.2, scene.radius[leaf] * scaleOf(camera)) + 2.5, 0, 7);
  } else {
    const corners = outlineOf(scene, camera, cluster);
    corners.forEach(([x, y], i) => {
      const [nx, ny] = corners[(i + 1) % corners.length];
      if (i === 0) context.moveTo((corners[corners.length - 1][0] + x) / 2, (corners[corners.length - 1][1] + y) / 2);
      context.quadraticCurveTo(x, y, (x + nx) / 2, (y + ny) / 2);
    });
  }
  context.closePath();
  context.strokeStyle = colours.ink;
  context.lineWidth = width;
  context.stroke();
}

/** The name of what is pointed at, where no label shows it. */
function plate(context: CanvasRenderingContext2D, { scene, camera, colours }: Picture, cluster: number, measure: Measure) {
  const font = `600 12.5px ${colours.family}`;
  const lines = wrapped(scene.columns.name[cluster], 3, 230, (text) => measure(text, font));
  const share = `${percent(scene.columns.share[cluster])} of all`;
  const width = Math.max(measure(share, font), ...lines.map((line) => measure(line, font))) + 24;
  const height = (lines.length + 1) * 16 + 15;
  const [px, py] = toScreen(camera, scene.columns.x[cluster], scene.columns.y[cluster]);
  const r = Math.min(scene.radius[cluster] * scaleOf(camera), camera.height / 3) + 9;
  const x = Math.min(camera.width - width / 2 - 6, Math.max(width / 2 + 6, px));
  const y = py - r - height < 6 ? Math.min(camera.height - height - 6, py + r) : py - r - height;
  context.save();
  context.shadowColor = "rgb(0 0 0 / 22%)";
  context.shadowBlur = 14;
  context.shadowOffsetY = 3;
  context.fillStyle = colours.panel;
  context.beginPath();
  context.roundRect(x - width / 2, y, width, height, 9);
  context.fill();
  context.restore();
  [...lines, share].forEach((line, i) => {
    context.font = i < lines.length ? font : `500 11.5px ${colours.family}`;
    context.fillStyle = i < lines.length ? colours.ink : colours.quiet;
    context.direction = direction(line);
    context.fillText(line, x, y + 16 + i * 16);
  });
}
