// Which disc stands at a place: a grid over the discs.

import type { Scene } from "./scene";

/** The base cluster whose disc, widened by `slack` map units, is the nearest to holding a point; null if none is. */
export type Hit = (x: number, y: number, slack: number) => number | null;

export function hitGrid(scene: Scene): Hit {
  const { x, y } = scene.columns;
  const side = Math.max(1, Math.min(128, Math.ceil(Math.sqrt(scene.leaves.length))));
  const cells: number[][] = Array.from({ length: side * side }, () => []);
  const [wide, high] = scene.reach;
  const column = (value: number) => Math.min(side - 1, Math.max(0, Math.floor(((value + wide) / (2 * wide)) * side)));
  const row = (value: number) => Math.min(side - 1, Math.max(0, Math.floor(((value + high) / (2 * high)) * side)));
  const over = (px: number, py: number, r: number, visit: (cell: number[]) => void) => {
    for (let j = row(py - r); j <= row(py + r); j++) for (let i = column(px - r); i <= column(px + r); i++) visit(cells[j * side + i]);
  };
  for (const leaf of scene.leaves) over(x[leaf], y[leaf], scene.radius[leaf], (cell) => cell.push(leaf));
  return (px, py, slack) => {
    let found: number | null = null;
    let least = slack;
    over(px, py, slack, (cell) => {
      for (const leaf of cell) {
        const gap = Math.hypot(x[leaf] - px, y[leaf] - py) - scene.radius[leaf];
        if (gap < least || (gap === least && (found === null || leaf < found))) [found, least] = [leaf, gap];
      }
    });
    return found;
  };
}

/** The base cluster that passes the filters and has its centre the nearest to a place, however far. */
export function nearest(scene: Scene, shown: Uint8Array, px: number, py: number): number | null {
  let found: number | null = null;
  let least = Infinity;
  for (const leaf of scene.leaves) {
    const gap = Math.hypot(scene.columns.x[leaf] - px, scene.columns.y[leaf] - py);
    if (shown[leaf] && gap < least) [found, least] = [leaf, gap];
  }
  return found;
}
