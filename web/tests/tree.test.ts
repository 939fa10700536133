import { describe, expect, it } from "vitest";
import { hierarchy, path, withAncestors } from "../src/model/hierarchy";
import { keyOf, move, rows, typeAhead } from "../src/model/tree";
import { columns } from "./sample";

const tree = hierarchy(columns);
const [a, b, a1, a2, a1x, a1y] = [0, 1, 2, 3, 4, 5];
const closed = { isOpen: () => false, listed: null, nameless: new Set([-1, a1]) };
const shape = (open: number[]) => ({ ...closed, isOpen: (cluster: number) => open.includes(cluster) });
const clusters = (list: ReturnType<typeof rows>) => list.map((row) => (row.named ? row.cluster : keyOf(row)));

describe("the hierarchy", () => {
  it("knows parents, children by size, themes and base clusters", () => {
    expect(tree.tops).toEqual([a, b]);
    expect(tree.children[a]).toEqual([a1, a2]);
    expect(path(tree, a1y)).toEqual([a, a1, a1y]);
    expect([...tree.theme]).toEqual([0, 1, 0, 0, 0, 0]);
    expect(tree.bases[a]).toBe(3);
  });
});

describe("the rows of the tree", () => {
  it("are the tops and what is counted without a name, while nothing is open", () => {
    expect(clusters(rows(tree, closed))).toEqual([a, b, "other -1"]);
  });

  it("say level, place among siblings and whether they are open", () => {
    const list = rows(tree, shape([a, a1]));
    expect(clusters(list)).toEqual([a, a1, a1x, a1y, `other ${a1}`, a2, b, "other -1"]);
    expect(list[1]).toMatchObject({ level: 2, size: 2, position: 1, open: true });
    expect(list[2]).toMatchObject({ level: 3, size: 2, position: 1, open: null });
    expect(list[6]).toMatchObject({ level: 1, size: 2, position: 2, open: null });
  });

  it("lead to what a search found, opened, and say no count of what has no name", () => {
    const listed = withAncestors(tree, Uint8Array.from(tree.words, (_, i) => (i === a1y ? 1 : 0)));
    const list = rows(tree, { ...closed, listed, isOpen: () => true });
    expect(clusters(list)).toEqual([a, a1, a1y]);
    expect(list.every((row) => row.size === 1)).toBe(true);
  });
});

describe("the keys of the tree", () => {
  const list = rows(tree, shape([a])); // a, a1, a2, b, other

  it("move by row and stop at both ends, over what has no name", () => {
    expect(move(list, 0, "ArrowDown")).toEqual({ to: 1 });
    expect(move(list, 0, "ArrowUp")).toBeNull();
    expect(move(list, 3, "ArrowDown")).toBeNull();
    expect(move(list, 2, "Home")).toEqual({ to: 0 });
    expect(move(list, 0, "End")).toEqual({ to: 3 });
  });

  it("open with Right before they go in, close with Left before they go out", () => {
    expect(move(list, 1, "ArrowRight")).toEqual({ open: a1 });
    expect(move(list, 0, "ArrowRight")).toEqual({ to: 1 });
    expect(move(list, 3, "ArrowRight")).toBeNull();
    expect(move(list, 0, "ArrowLeft")).toEqual({ close: a });
    expect(move(list, 2, "ArrowLeft")).toEqual({ to: 0 });
    expect(move(list, 3, "ArrowLeft")).toBeNull();
  });

  it("choose with Enter and Space, and open all siblings with *", () => {
    expect(move(list, 2, "Enter")).toEqual({ choose: a2 });
    expect(move(list, 2, " ")).toEqual({ choose: a2 });
    expect(move(list, 1, "*")).toEqual({ openAll: [a1] });
    expect(move(list, 1, "x")).toBeNull();
  });

  it("find the next name by its first letters, round the end", () => {
    expect(typeAhead(list, columns.name, 0, "c")).toBe(3);
    expect(typeAhead(list, columns.name, 3, "s")).toBe(0);
    expect(typeAhead(list, columns.name, 1, "fix e")).toBe(1);
    expect(typeAhead(list, columns.name, 0, "zz")).toBeNull();
  });
});
