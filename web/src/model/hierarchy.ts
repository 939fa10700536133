// One run's clusters, indexed: everything below is by the cluster's place in the columns.

import type { Clusters } from "../api";

export interface Hierarchy {
  columns: Clusters;
  size: number;
  /** place by id */
  at: ReadonlyMap<string, number>;
  /** -1 for a top */
  parent: Int32Array;
  /** the largest first, as are the tops */
  children: readonly (readonly number[])[];
  tops: readonly number[];
  /** rank of the top above, by size */
  theme: Int32Array;
  depth: number;
  /** name and description, folded for search */
  words: readonly string[];
  /** number of base clusters at or below */
  bases: Int32Array;
}

export function hierarchy(columns: Clusters): Hierarchy {
  const size = columns.id.length;
  const at = new Map(columns.id.map((id, place) => [id, place]));
  const parent = Int32Array.from(columns.parent, (id) => (id === null ? -1 : (at.get(id) ?? -1)));
  const children: number[][] = columns.id.map(() => []);
  const tops: number[] = [];
  const bySize = Array.from({ length: size }, (_, place) => place).sort((a, b) => columns.share[b] - columns.share[a] || a - b);
  for (const place of bySize) (parent[place] < 0 ? tops : children[parent[place]]).push(place);
  const theme = new Int32Array(size);
  const bases = new Int32Array(size);
  const settle = (place: number, rank: number): number => {
    theme[place] = rank;
    bases[place] = children[place].length ? children[place].reduce((sum, child) => sum + settle(child, rank), 0) : 1;
    return bases[place];
  };
  tops.forEach((top, rank) => settle(top, rank));
  const depth = columns.level.reduce((deepest, level) => Math.max(deepest, level), 0);
  return { columns, size, at, parent, children, tops, theme, depth, bases, words: columns.name.map((name, place) => fold(`${name}\n${columns.description[place]}`)) };
}

/** The clusters from the top down to one, itself the last. */
export function path(tree: Hierarchy, place: number): number[] {
  const steps: number[] = [];
  for (let step = place; step >= 0; step = tree.parent[step]) steps.unshift(step);
  return steps;
}

export const fold = (text: string): string => text.normalize("NFKC").toLowerCase();

/** 1 where every word of the query stands in the name or the description; null for an empty query. */
export function search(tree: Hierarchy, query: string): Uint8Array | null {
  const words = fold(query).split(/\s+/).filter(Boolean);
  if (!words.length) return null;
  return Uint8Array.from(tree.words, (text) => (words.every((word) => text.includes(word)) ? 1 : 0));
}

/** Where the words of a query stand in a text, in order and without overlap: what to mark. */
export function spans(text: string, query: string): [number, number][] {
  const folded = fold(text);
  // folding may change the length of a few scripts' letters; then nothing is marked rather than the wrong letters
  if (folded.length !== text.length) return [];
  const found: [number, number][] = [];
  for (const word of fold(query).split(/\s+/).filter(Boolean)) {
    for (let from = folded.indexOf(word); from >= 0; from = folded.indexOf(word, from + word.length)) found.push([from, from + word.length]);
  }
  found.sort((a, b) => a[0] - b[0]);
  return found.filter(([from], i) => i === 0 || found.slice(0, i).every(([, to]) => to <= from));
}

/** 1 for what passes and for everything above it: a tree that leads to what passes. */
export function withAncestors(tree: Hierarchy, passes: Uint8Array): Uint8Array {
  const kept = Uint8Array.from(passes);
  for (let place = 0; place < tree.size; place++) if (passes[place]) for (let up = tree.parent[place]; up >= 0 && !kept[up]; up = tree.parent[up]) kept[up] = 1;
  return kept;
}
