// A soft ground in each theme's colour: painted once a colouring, on a canvas that pans and zooms by CSS alone.

import { canvas } from "./palette";
import type { Scene } from "./scene";

export const SIDE = 640;
/** Quieter from near by, where it fills the frame. */
export const haloStrength = (dark: boolean, zoom: number): number => (dark ? 0.36 : 0.4) / (1 + 0.28 * Math.log2(zoom));
/** Half the width of the halo's canvas, in map units. */
export const haloReach = (scene: Scene): number => Math.max(...scene.reach) + 0.2;
/** How far a disc's halo goes, in map units. */
export const haloRadius = (r: number): number => r * 1.15 + 0.052;

export function paintHalo(context: CanvasRenderingContext2D, scene: Scene, shown: Uint8Array, colour: readonly (string | null)[], plain: string) {
  const { x, y } = scene.columns;
  const reach = haloReach(scene);
  const scale = SIDE / (2 * reach);
  const byTint = new Map<string, number[]>();
  for (const leaf of scene.leaves) {
    const tint = colour[scene.top[leaf]] ?? plain;
    if (shown[leaf]) byTint.set(tint, byTint.get(tint) ?? []).get(tint)?.push(leaf);
  }
  // black first, then tinted in one step: many faint layers of a colour would each be rounded, and darken it
  const mask = canvas(SIDE, SIDE).getContext("2d");
  context.clearRect(0, 0, SIDE, SIDE);
  if (!mask) return;
  const sprite = glow();
  for (const [tint, leaves] of byTint) {
    mask.globalCompositeOperation = "source-over";
    mask.clearRect(0, 0, SIDE, SIDE);
    for (const leaf of leaves) {
      const r = haloRadius(scene.radius[leaf]);
      // by its own area, as if the discs themselves were blurred: many small ones glow no more than one large
      mask.globalAlpha = Math.min(1, 0.07 + 2.2 * (scene.radius[leaf] / r) ** 2);
      mask.drawImage(sprite, (x[leaf] + reach - r) * scale, (y[leaf] + reach - r) * scale, 2 * r * scale, 2 * r * scale);
    }
    mask.globalAlpha = 1;
    mask.globalCompositeOperation = "source-in";
    mask.fillStyle = tint;
    mask.fillRect(0, 0, SIDE, SIDE);
    context.drawImage(mask.canvas, 0, 0);
  }
}

function glow(): HTMLCanvasElement {
  const made = canvas(128, 128);
  const context = made.getContext("2d");
  if (!context) return made;
  const fade = context.createRadialGradient(64, 64, 0, 64, 64, 64);
  for (let k = 0; k <= 8; k++) fade.addColorStop(k / 8, `rgb(0 0 0 / ${(0.62 * (1 - (k / 8) ** 2) ** 1.5).toFixed(3)})`);
  context.fillStyle = fade;
  context.fillRect(0, 0, 128, 128);
  return made;
}
