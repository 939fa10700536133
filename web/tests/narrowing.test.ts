import { describe, expect, it } from "vitest";
import type { Overlay } from "../src/api";
import { changeOf, growth, ownId, ownWindows } from "../src/model/change";
import { needed, overlayKey, passing, replaced } from "../src/model/filter";
import { hierarchy, search, spans } from "../src/model/hierarchy";
import type { Filter } from "../src/model/place";
import { sorted } from "../src/model/sorting";
import { telling } from "../src/ui/changes";
import { shareOf } from "../src/ui/marked";
import { moved } from "../src/ui/time-strip";
import { columns, run } from "./sample";

const tree = hierarchy(columns);
const change = growth(run, columns);
const overlay: Overlay = { facet: "language", value: "ja", lift: [1.2, null, 3, 0.5, 1, null], mark: ["over", null, "over", "under", "similar", null] };
const overlays = new Map([[overlayKey("language", "ja"), overlay]]);
const pass = (...filters: Filter[]) => [...passing(tree, filters, overlays, change)].flatMap((one, i) => (one ? [i] : []));

describe("filters", () => {
  it("pass all clusters when there is none", () => {
    expect(pass()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("keep a facet's value only where it is over-represented, never where it is hidden", () => {
    expect(pass({ kind: "facet", facet: "language", values: ["ja"] })).toEqual([0, 2]);
    expect(pass({ kind: "facet", facet: "language", values: ["not asked for"] })).toEqual([]);
  });

  it("leave out a hidden concern rather than take it for none", () => {
    expect(pass({ kind: "concern", least: 1.1 })).toEqual([0, 2, 3]);
  });

  it("hold together: what passes, passes each", () => {
    expect(pass({ kind: "size", least: 250 }, { kind: "level", level: 3 })).toEqual([4]);
    expect(pass({ kind: "audit", least: 5 }, { kind: "growth", direction: "up" })).toEqual([0, 2]);
    expect(pass({ kind: "growth", direction: "down" })).toEqual([4]);
  });

  it("ask for the overlays of their values, and are replaced by the like", () => {
    const filters: Filter[] = [{ kind: "facet", facet: "language", values: ["ja", "en"] }, { kind: "size", least: 50 }];
    expect(needed(filters)).toEqual([["language", "ja"], ["language", "en"]]);
    expect(replaced(filters, { kind: "size", least: 0 }, { kind: "size", least: 100 })[1]).toEqual({ kind: "size", least: 100 });
    expect(replaced(filters, { kind: "facet", facet: "language", values: [] }, null)).toEqual([filters[1]]);
    expect(replaced(filters, { kind: "level", level: 2 }, { kind: "level", level: 2 })).toHaveLength(3);
  });
});

describe("search", () => {
  it("finds every word in names and descriptions, whatever the case or width", () => {
    expect([...(search(tree, "FIX css") ?? [])]).toEqual([0, 0, 0, 0, 1, 0]);
    expect([...(search(tree, "数学") ?? [])]).toEqual([0, 0, 0, 0, 0, 1]);
    expect([...(search(tree, "ünder ｐressure") ?? [])]).toEqual([1, 1, 1, 1, 1, 1]);
    expect(search(tree, "  ")).toBeNull();
  });

  it("marks what it found, once and in order", () => {
    expect(spans("Fix CSS, fix it", "fix css")).toEqual([[0, 3], [4, 7], [9, 12]]);
    expect(spans("banana", "ana an")).toEqual([[1, 4]]);
    expect(spans("ﬁx", "fix")).toEqual([]);
  });

  it("takes ten thousand clusters between two keystrokes", () => {
    const size = 10_000;
    const many = <T>(of: (i: number) => T) => Array.from({ length: size }, (_, i) => of(i));
    const big = hierarchy({ ...columns, id: many(String), parent: many(() => null), level: many(() => 1), share: many((i) => 1 / (i + 1)), name: many((i) => `Cluster number ${i} of many`), description: many((i) => `People ask about the things that stand under ${i} and about much else. `.repeat(3)), other: [] });
    expect(search(big, "under 9999")?.reduce((sum, one) => sum + one, 0)).toBe(1);
    const times = Array.from({ length: 9 }, () => {
      const start = performance.now();
      search(big, "under 9999");
      return performance.now() - start;
    });
    expect(times.sort((a, b) => a - b)[4]).toBeLessThan(50);
  });
});

describe("changes", () => {
  it("count as rising or falling only where they are no chance", () => {
    expect(change?.kind).toEqual(["rising", "hidden", "rising", "steady", "falling", "hidden"]);
  });

  it("call what is withheld on one side neither new nor gone, nor a difference", () => {
    const made = changeOf({ comparison: run.comparisons[0], a_conversations: 500, b_conversations: 500, a: [0.2, null, null], b: [null, 0.2, null], diff: [null, null, null], low: [null, null, null], high: [null, null, null], q: [null, null, null] });
    expect(made.kind).toEqual(["only-a", "only-b", "hidden"]);
  });

  it("of one's own windows keep them in an id that names published weeks only", () => {
    const id = ownId("week", ["2026-W03", "2026-W04"], ["2026-W01"]);
    expect(ownWindows(id, run)).toEqual({ facet: "week", a: ["2026-W03", "2026-W04"], b: ["2026-W01"] });
    expect(ownWindows("halves", run)).toBeNull();
    expect(ownWindows(ownId("week", ["2030-W01"], ["2026-W01"]), run)).toBeNull();
    expect(ownWindows("own~%E0~a~b~c~d", run)).toBeNull();
  });

  it("start at the deepest level that can mostly be compared", () => {
    expect(telling([1, 1, 2, 2, 3, 3, 3], [0, 0, 0, 0, null, null, 0], 3)).toBe(2);
    expect(telling([1, 2], [null, null], 2)).toBe(1);
  });
});

describe("windows", () => {
  it("keep a week and never overlap, however far an end is dragged", () => {
    const windows = { a: [4, 7] as [number, number], b: [0, 3] as [number, number] };
    expect(moved(windows, "a", 0, -5, 8).a).toEqual([4, 7]);
    expect(moved(windows, "b", 1, 99, 8).b).toEqual([0, 3]);
    expect(moved(windows, "a", 0, 99, 8).a).toEqual([7, 7]);
    expect(moved(windows, "b", 1, 1, 8).b).toEqual([0, 1]);
  });
});

describe("the table", () => {
  const all = [0, 1, 2, 3, 4, 5];

  it("puts what is hidden last, whichever way it is sorted", () => {
    expect(sorted(tree, all, { by: "concern", down: true }, change, null).slice(-2)).toEqual([1, 5]);
    expect(sorted(tree, all, { by: "concern", down: false }, change, null).slice(-2)).toEqual([1, 5]);
    expect(sorted(tree, all, { by: "lift", down: true }, change, overlay)).toEqual([2, 0, 4, 3, 1, 5]);
    expect(sorted(tree, all, { by: "lift", down: true }, change, null)).toEqual([0, 2, 1, 4, 3, 5]);
  });

  it("sorts names as people do", () => {
    expect(sorted(tree, all, { by: "name", down: false }, null, null).map((i) => columns.name[i])[0]).toBe("Cooking");
    expect(sorted(tree, all, { by: "name", down: true }, null, null).map((i) => columns.name[i])[0]).toBe("Write tests");
  });

  it("counts the share of marked clusters once, though one holds the other", () => {
    expect(shareOf(tree, new Set([0, 2, 4, 1]))).toBeCloseTo(0.9);
    expect(shareOf(tree, new Set([4, 5]))).toBeCloseTo(0.4);
  });
});
