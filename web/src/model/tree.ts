// The tree without its looks: which rows stand in it, and what each key does (ARIA's tree pattern).

import type { Hierarchy } from "./hierarchy";

export interface Row {
  /** place of the cluster; -1 - parent for what is counted there but not named (-1 at the top is its own key) */
  cluster: number;
  parent: number;
  named: boolean;
  level: number;
  size: number;
  position: number;
  open: boolean | null;
}

export interface Shape {
  isOpen: (cluster: number) => boolean;
  /** 1 for what is listed; null lists all */
  listed: Uint8Array | null;
  /** parents (-1: the run) with conversations that no name shows */
  nameless: ReadonlySet<number>;
}

/** The rows from top to bottom. */
export function rows(tree: Hierarchy, shape: Shape): Row[] {
  const out: Row[] = [];
  const add = (siblings: readonly number[], parent: number, level: number) => {
    const { listed } = shape;
    const kept = listed ? siblings.filter((place) => listed[place]) : siblings;
    kept.forEach((cluster, i) => {
      const inside = listed ? tree.children[cluster].some((child) => listed[child]) : tree.children[cluster].length > 0;
      const open = inside ? shape.isOpen(cluster) : null;
      out.push({ cluster, parent, named: true, level, size: kept.length, position: i + 1, open });
      if (open) add(tree.children[cluster], cluster, level + 1);
    });
    if (!listed && shape.nameless.has(parent)) out.push({ cluster: -1, parent, named: false, level, size: 0, position: 0, open: null });
  };
  add(tree.tops, -1, 1);
  return out;
}

export const keyOf = (row: Row): string => (row.named ? String(row.cluster) : `other ${row.parent}`);

export type Move = { to: number } | { open: number } | { close: number } | { choose: number } | { openAll: number[] } | null;

/** What a key does from the row at ``at``; rows without a name are passed over. */
export function move(list: readonly Row[], at: number, key: string): Move {
  const row = list[at];
  const next = (from: number, step: 1 | -1): Move => {
    for (let i = from; i >= 0 && i < list.length; i += step) if (list[i].named) return { to: i };
    return null;
  };
  if (!row) return next(0, 1);
  switch (key) {
    case "ArrowDown":
      return next(at + 1, 1);
    case "ArrowUp":
      return next(at - 1, -1);
    case "Home":
      return next(0, 1);
    case "End":
      return next(list.length - 1, -1);
    case "ArrowRight":
      return row.open === null ? null : row.open ? next(at + 1, 1) : { open: row.cluster };
    case "ArrowLeft":
      if (row.open) return { close: row.cluster };
      return row.parent < 0 ? null : { to: list.findIndex((other) => other.cluster === row.parent) };
    case "Enter":
    case " ":
      return { choose: row.cluster };
    case "*":
      return { openAll: list.filter((other) => other.named && other.parent === row.parent && other.open === false).map((other) => other.cluster) };
    default:
      return null;
  }
}

/** The next row, after ``at`` and round again, whose name begins with what was typed. */
export function typeAhead(list: readonly Row[], names: readonly string[], at: number, typed: string): number | null {
  const wanted = typed.toLocaleLowerCase();
  // one letter goes on to the next; more letters may still mean the row one stands on
  const start = typed.length > 1 ? at : at + 1;
  for (let step = 0; step < list.length; step++) {
    const i = (start + step + list.length) % list.length;
    if (list[i].named && names[list[i].cluster].toLocaleLowerCase().startsWith(wanted)) return i;
  }
  return null;
}
