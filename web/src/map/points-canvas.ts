// Discs by Canvas2D: where there is no WebGL2, or its context is lost.

import { scaleOf, toScreen } from "./camera";
import { Mode, opacity, type Palette } from "./palette";
import type { Points } from "./points";
import type { Scene } from "./scene";

export function canvasPoints(canvas: HTMLCanvasElement): Points | null {
  const context = canvas.getContext("2d");
  if (!context) return null;
  let scene: Scene | null = null;
  let css: string[] = [];
  let modes = new Uint8Array();
  return {
    kind: "canvas2d",
    canvas,
    load(next) {
      scene = next;
    },
    style(fill, mode) {
      css = Array.from({ length: mode.length }, (_, k) => `rgb(${fill[4 * k]} ${fill[4 * k + 1]} ${fill[4 * k + 2]})`);
      modes = mode;
    },
    draw(camera, dpr, colours) {
      context.setTransform(dpr, 0, 0, dpr, 0, 0);
      context.clearRect(0, 0, camera.width, camera.height);
      scene?.leaves.forEach((leaf, k) => {
        const r = Math.max(1.2, scene!.radius[leaf] * scaleOf(camera));
        const [x, y] = toScreen(camera, scene!.columns.x[leaf], scene!.columns.y[leaf]);
        if (x + r < 0 || y + r < 0 || x - r > camera.width || y - r > camera.height) return;
        disc(context, x, y, r, css[k], modes[k], colours);
      });
      context.globalAlpha = 1;
    },
  };
}

function disc(context: CanvasRenderingContext2D, x: number, y: number, r: number, fill: string, mode: number, colours: Palette) {
  const [hidden, marked, faint] = [mode & Mode.Hidden, mode & Mode.Marked, mode & Mode.Faint];
  context.beginPath();
  context.arc(x, y, r, 0, 7);
  if (hidden) hatch(context, x, y, r, faint ? 0.2 : 0.7, colours.quiet);
  else {
    context.globalAlpha = opacity(r, mode);
    context.fillStyle = fill;
    context.fill();
  }
  const ring = (from: number, width: number, colour: string, alpha: number) => {
    context.beginPath();
    context.arc(x, y, r - from - width / 2, 0, 7);
    context.globalAlpha = alpha;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  };
  if (marked) {
    const rim = Math.min(3.4, r * 0.7);
    ring(0, rim * 0.62, colours.accent, 1);
    ring(rim * 0.62, rim * 0.38, colours.ground, 1);
  } else if (hidden) ring(0, Math.min(1, r * 0.5), colours.quiet, faint ? 0.3 : 0.9);
  else if (r > 3 && !faint) ring(0, 0.9 * Math.min(1, (r - 3) / 3), colours.ground, 0.9);
}

/** Lines across the current path: a value that is not shown is no low value. */
function hatch(context: CanvasRenderingContext2D, x: number, y: number, r: number, alpha: number, colour: string) {
  if (r < 4) return;
  context.save();
  context.clip();
  context.globalAlpha = alpha;
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  const first = Math.ceil((x + y - 1.5 * r) / 5) * 5;
  for (let sum = first; sum < x + y + 1.5 * r; sum += 5) {
    context.moveTo(x - r, sum - x + r);
    context.lineTo(x + r, sum - x - r);
  }
  context.stroke();
  context.restore();
}
