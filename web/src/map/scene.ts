// What is drawn, in map units: base clusters as discs by true area, every cluster above as the circle around its own.

export interface Columns {
  readonly id: readonly string[];
  readonly parent: readonly (string | null)[];
  readonly name: readonly string[];
  readonly conversations: readonly number[];
  readonly share: readonly number[];
  readonly x: readonly number[];
  readonly y: readonly number[];
}

export const enum Tier {
  Top,
  Mid,
  Leaf,
}

export interface Scene {
  columns: Columns;
  parent: Int32Array;
  /** the theme above each cluster */
  top: Int32Array;
  tier: Uint8Array;
  radius: Float32Array;
  /** from a cluster's place to the upper and the lower end of its discs */
  above: Float32Array;
  below: Float32Array;
  /** base clusters, the largest first: the order in which discs are drawn */
  leaves: Int32Array;
  /** base clusters under a cluster, itself if it is one */
  under: readonly (readonly number[])[];
  /** mean disc radius under each cluster */
  grain: Float32Array;
  /** themes first, then by size: who gets a label before whom */
  order: Int32Array;
  /** half the width and height of all that is drawn, around 0, 0 */
  reach: [number, number];
}

export function sceneOf(columns: Columns): Scene {
  const { x, y, conversations } = columns;
  const size = columns.id.length;
  const at = new Map(columns.id.map((id, i) => [id, i]));
  const parent = Int32Array.from(columns.parent, (id) => (id === null ? -1 : (at.get(id) ?? -1)));
  const inner = new Uint8Array(size);
  for (const holder of parent) if (holder >= 0) inner[holder] = 1;
  const bySize = Int32Array.from({ length: size }, (_, i) => i).sort((a, b) => conversations[b] - conversations[a] || a - b);
  const leaves = bySize.filter((i) => !inner[i]);
  const tier = Uint8Array.from(parent, (holder, i) => (holder < 0 ? Tier.Top : inner[i] ? Tier.Mid : Tier.Leaf));
  const scale = discScale(columns, parent, leaves);
  const radius = new Float32Array(size);
  const grain = new Float32Array(size);
  const above = new Float32Array(size);
  const below = new Float32Array(size);
  const top = new Int32Array(size);
  const under: number[][] = columns.id.map(() => []);
  const reach: [number, number] = [0.05, 0.05];
  for (let i = 0; i < size; i++) for (top[i] = i; parent[top[i]] >= 0; ) top[i] = parent[top[i]];
  for (const leaf of leaves) {
    const r = scale * Math.sqrt(Math.max(1, conversations[leaf]));
    reach[0] = Math.max(reach[0], Math.abs(x[leaf]) + r);
    reach[1] = Math.max(reach[1], Math.abs(y[leaf]) + r);
    for (let i = leaf; i >= 0; i = parent[i]) {
      radius[i] = Math.max(radius[i], Math.hypot(x[leaf] - x[i], y[leaf] - y[i]) + r);
      above[i] = Math.max(above[i], y[i] - y[leaf] + r);
      below[i] = Math.max(below[i], y[leaf] - y[i] + r);
      grain[i] += r;
      under[i].push(leaf);
    }
  }
  for (let i = 0; i < size; i++) grain[i] /= under[i].length;
  const order = bySize.slice().sort((a, b) => tier[a] - tier[b] || conversations[b] - conversations[a] || a - b);
  return { columns, parent, top, tier, radius, above, below, leaves, under, grain, order, reach };
}

/** Radius of a disc of one conversation. The layout does not publish it; siblings nearly touch, which tells it. */
function discScale({ x, y, conversations }: Columns, parent: Int32Array, leaves: Int32Array): number {
  const root = (i: number) => Math.sqrt(Math.max(1, conversations[i]));
  const siblings = new Map<number, number[]>();
  for (const leaf of leaves) {
    const known = siblings.get(parent[leaf]);
    if (known) known.push(leaf);
    else siblings.set(parent[leaf], [leaf]);
  }
  const nearest = (among: (leaf: number) => Iterable<number>) => {
    const ratios: number[] = [];
    for (let k = 0; k < leaves.length; k += Math.ceil(leaves.length / 256)) {
      let least = Infinity;
      for (const other of among(leaves[k])) {
        if (other !== leaves[k]) least = Math.min(least, Math.hypot(x[leaves[k]] - x[other], y[leaves[k]] - y[other]) / (root(leaves[k]) + root(other)));
      }
      if (least < Infinity && least > 0) ratios.push(least);
    }
    return ratios.sort((a, b) => a - b);
  };
  let ratios = nearest((leaf) => siblings.get(parent[leaf]) ?? []);
  if (!ratios.length) ratios = nearest(() => leaves);
  const largest = leaves.length ? root(leaves[0]) : 1;
  return Math.min(ratios.length ? ratios[Math.floor(ratios.length * 0.2)] / 1.04 : Infinity, 0.3 / largest);
}

/** The convex outline of the discs under a cluster, as x, y pairs in map units. */
export function hull(scene: Scene, cluster: number): [number, number][] {
  const { x, y } = scene.columns;
  const points: [number, number][] = scene.under[cluster].flatMap((leaf) =>
    Array.from({ length: 12 }, (_, k): [number, number] => [
      x[leaf] + scene.radius[leaf] * Math.cos((k * Math.PI) / 6),
      y[leaf] + scene.radius[leaf] * Math.sin((k * Math.PI) / 6),
    ]),
  );
  points.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (sorted: [number, number][]) => {
    const kept: [number, number][] = [];
    for (const p of sorted) {
      for (let [a, b] = kept.slice(-2); kept.length > 1 && (b[0] - a[0]) * (p[1] - a[1]) <= (b[1] - a[1]) * (p[0] - a[0]); [a, b] = kept.slice(-2)) kept.pop();
      kept.push(p);
    }
    return kept.slice(0, -1);
  };
  return [...half(points), ...half(points.reverse())];
}
