// A free-hand selection of whole clusters: those whose centre lies inside the drawn line.

import type { Scene } from "./scene";

export type Line = readonly (readonly [number, number])[];

/** Whether a point lies inside a closed line (even-odd rule). */
export function inside(line: Line, x: number, y: number): boolean {
  let odd = false;
  for (let i = 0, j = line.length - 1; i < line.length; j = i++) {
    const [ax, ay] = line[i];
    const [bx, by] = line[j];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  }
  return odd;
}

/** The base clusters that pass the filters and have their centre inside a line of map units. */
export function caught(scene: Scene, shown: Uint8Array, line: Line): number[] {
  const { x, y } = scene.columns;
  return [...scene.leaves].filter((leaf) => shown[leaf] && inside(line, x[leaf], y[leaf]));
}
