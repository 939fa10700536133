// Which clusters pass the filters.

import type { Overlay } from "../api";
import type { Change } from "./change";
import type { Hierarchy } from "./hierarchy";
import type { Filter } from "./place";

export const overlayKey = (facet: string, value: string): string => `${facet}\n${value}`;

/** The facet values whose overlays the filters need. */
export const needed = (filters: readonly Filter[]): [string, string][] =>
  filters.flatMap((filter) => (filter.kind === "facet" ? filter.values.map((value): [string, string] => [filter.facet, value]) : []));

/** 1 for each cluster that passes every filter; of a facet's values any one must be over-represented. */
export function passing(tree: Hierarchy, filters: readonly Filter[], overlays: ReadonlyMap<string, Overlay>, change: Change | null): Uint8Array {
  const tests = filters.map((filter) => test(tree, filter, overlays, change));
  return Uint8Array.from({ length: tree.size }, (_, place) => (tests.every((passes) => passes(place)) ? 1 : 0));
}

function test({ columns }: Hierarchy, filter: Filter, overlays: ReadonlyMap<string, Overlay>, change: Change | null): (place: number) => boolean {
  switch (filter.kind) {
    case "facet": {
      const marks = filter.values.map((value) => overlays.get(overlayKey(filter.facet, value))?.mark);
      return (place) => marks.some((mark) => mark?.[place] === "over");
    }
    case "concern":
      return (place) => (columns.concern[place] ?? 0) >= filter.least;
    case "audit":
      return (place) => columns.audit[place] >= filter.least;
    case "size":
      return (place) => columns.conversations[place] >= filter.least;
    case "level":
      return (place) => columns.level[place] === filter.level;
    case "growth":
      return (place) => change?.kind[place] === (filter.direction === "up" ? "rising" : "falling");
  }
}

/** The filters with one put in the place of the like, or taken away. */
export function replaced(filters: readonly Filter[], like: Filter, by: Filter | null): Filter[] {
  const same = (filter: Filter) => filter.kind === like.kind && (filter.kind !== "facet" || like.kind !== "facet" || filter.facet === like.facet);
  const at = filters.findIndex(same);
  if (at < 0) return by ? [...filters, by] : [...filters];
  return filters.flatMap((filter, i) => (i !== at ? [filter] : by ? [by] : []));
}
