// The order of the table's rows.

import type { Overlay } from "../api";
import type { Change } from "./change";
import type { Hierarchy } from "./hierarchy";
import type { Sort } from "./place";

/** The places in order; what is not shown comes last whichever way one sorts, and the larger first among equals. */
export function sorted(tree: Hierarchy, places: readonly number[], sort: Sort, change: Change | null, overlay: Overlay | null): number[] {
  const { columns } = tree;
  const way = sort.down ? -1 : 1;
  const bySize = (a: number, b: number) => columns.conversations[b] - columns.conversations[a] || a - b;
  if (sort.by === "name") {
    const collator = new Intl.Collator("en", { sensitivity: "base", numeric: true });
    return [...places].sort((a, b) => way * collator.compare(columns.name[a], columns.name[b]) || bySize(a, b));
  }
  const value = valueOf(tree, sort.by, change, overlay);
  return [...places].sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (left === null || right === null) return (left === null ? 1 : 0) - (right === null ? 1 : 0) || bySize(a, b);
    return way * (left - right) || bySize(a, b);
  });
}

function valueOf({ columns }: Hierarchy, by: Exclude<Sort["by"], "name">, change: Change | null, overlay: Overlay | null): (place: number) => number | null {
  switch (by) {
    case "share":
      return (place) => columns.share[place];
    case "size":
      return (place) => columns.conversations[place];
    case "concern":
      return (place) => columns.concern[place];
    case "audit":
      return (place) => columns.audit[place];
    case "level":
      return (place) => columns.level[place];
    case "growth":
      return (place) => change?.diff[place] ?? null;
    case "lift":
      return (place) => overlay?.lift[place] ?? null;
  }
}
