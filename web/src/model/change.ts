// How clusters differ between A and B: what the tree's arrows, the growth colours and "What changed" are made of.

import type { Clusters, Compared, Offered, Run } from "../api";

/** Shown in A only, or in B only: withheld on the other side, which is not to say that nothing is there; "hidden": in neither. */
export type ChangeKind = "rising" | "falling" | "steady" | "only-a" | "only-b" | "hidden";

export interface Change {
  comparison: Offered;
  diff: readonly (number | null)[];
  low: readonly (number | null)[];
  high: readonly (number | null)[];
  q: readonly (number | null)[];
  kind: readonly ChangeKind[];
}

/** Differences count where at most one in twenty of those that count is expected to be chance. */
export const FALSE_DISCOVERIES = 0.05;

const kindOf = (diff: number | null, q: number | null, onlyA: boolean, onlyB: boolean): ChangeKind => {
  if (diff === null) return onlyA ? "only-a" : onlyB ? "only-b" : "hidden";
  if (q === null || q > FALSE_DISCOVERIES || diff === 0) return "steady";
  return diff > 0 ? "rising" : "falling";
};

/** Of the comparison that stands in the clusters' own columns. */
export function growth(run: Run, columns: Clusters): Change | null {
  const comparison = run.comparisons.find((one) => one.id === run.growth);
  if (!comparison) return null;
  return {
    comparison,
    diff: columns.growth,
    low: columns.growth_low,
    high: columns.growth_high,
    q: columns.growth_q,
    kind: columns.growth.map((diff, place) => kindOf(diff, columns.growth_q[place], false, false)),
  };
}

export function changeOf(compared: Compared): Change {
  const { comparison, diff, low, high, q, a, b } = compared;
  return { comparison, diff, low, high, q, kind: diff.map((value, place) => kindOf(value, q[place], a[place] !== null && b[place] === null, a[place] === null && b[place] !== null)) };
}

/** Windows of one's own choice as the id of a comparison: first and last value of A and of B. */
export const ownId = (facet: string, a: readonly string[], b: readonly string[]): string =>
  ["own", facet, a[0], a[a.length - 1], b[0], b[b.length - 1]].map(encodeURIComponent).join("~");

/** The facet and values of such an id; null for one that the server offers, or whose values there are not. */
export function ownWindows(id: string, run: Run): { facet: string; a: string[]; b: string[] } | null {
  const parts = id.split("~");
  if (parts.length !== 6 || parts[0] !== "own") return null;
  let facet: string, ends: string[];
  try {
    [facet, ...ends] = parts.slice(1).map(decodeURIComponent);
  } catch {
    return null; // a broken escape names nothing
  }
  const values = run.facets.find((one) => one.facet === facet)?.values.map((one) => one.value) ?? [];
  const between = (first: string, last: string) => {
    const [from, to] = [values.indexOf(first), values.indexOf(last)];
    return from < 0 || to < from ? [] : values.slice(from, to + 1);
  };
  const [a, b] = [between(ends[0], ends[1]), between(ends[2], ends[3])];
  return a.length && b.length ? { facet, a, b } : null;
}
