// The whole map in a corner, with the view's rectangle.

import type { Camera } from "./camera";
import type { Palette } from "./palette";
import type { Scene } from "./scene";

export const WIDTH = 148;
export const HEIGHT = 104;

const scaleIn = (scene: Scene): number => Math.min((WIDTH - 14) / (2 * scene.reach[0]), (HEIGHT - 14) / (2 * scene.reach[1]));

export function paintMini(canvas: HTMLCanvasElement, scene: Scene, shown: Uint8Array, colour: readonly (string | null)[], colours: Palette) {
  const context = canvas.getContext("2d");
  if (!context) return;
  const dpr = devicePixelRatio || 1;
  [canvas.width, canvas.height] = [WIDTH * dpr, HEIGHT * dpr];
  const scale = scaleIn(scene);
  context.scale(dpr, dpr);
  for (const leaf of scene.leaves) {
    context.globalAlpha = shown[leaf] ? 0.85 : 0.15;
    context.fillStyle = colour[leaf] ?? colours.quiet;
    context.beginPath();
    context.arc(scene.columns.x[leaf] * scale + WIDTH / 2, scene.columns.y[leaf] * scale + HEIGHT / 2, Math.max(0.7, scene.radius[leaf] * scale), 0, 7);
    context.fill();
  }
}

/** Puts the rectangle of the view on the small map. */
export function frameMini(box: HTMLElement, scene: Scene, { view, width, height, unit }: Camera) {
  const scale = scaleIn(scene);
  const part = scale / (unit * view.z);
  const [w, h] = [width * part, height * part];
  const [x, y] = [view.x * scale + WIDTH / 2 - w / 2, view.y * scale + HEIGHT / 2 - h / 2];
  const [x0, y0, x1, y1] = [Math.max(2, x), Math.max(2, y), Math.min(WIDTH - 2, x + w), Math.min(HEIGHT - 2, y + h)];
  Object.assign(box.style, { transform: `translate(${x0}px, ${y0}px)`, width: `${Math.max(6, x1 - x0)}px`, height: `${Math.max(6, y1 - y0)}px` });
}

/** Where a pixel of the small map lies on the map. */
export const fromMini = (scene: Scene, px: number, py: number): [number, number] => [(px - WIDTH / 2) / scaleIn(scene), (py - HEIGHT / 2) / scaleIn(scene)];
