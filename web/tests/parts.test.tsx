import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { growth, changeOf } from "../src/model/change";
import { counted } from "../src/model/format";
import { hierarchy } from "../src/model/hierarchy";
import { HOME } from "../src/model/place";
import { DetailPanel } from "../src/ui/detail";
import { Breadcrumb } from "../src/ui/explore";
import { Breakdown, minimumOf } from "../src/ui/facets";
import { Header } from "../src/ui/header";
import { Legend } from "../src/ui/legend";
import { Marked } from "../src/ui/marked";
import { ReadingProvider, type Reading } from "../src/ui/reading";
import { RunPage } from "../src/ui/run-page";
import { Difference } from "../src/ui/small";
import { Spark } from "../src/ui/spark";
import { TableScreen } from "../src/ui/table";
import { TimeStrip } from "../src/ui/time-strip";
import { TreeView } from "../src/ui/tree-view";
import { columns, run } from "./sample";

const tree = hierarchy(columns);
const nothing = () => undefined;
let chosen: number | null = null;
const reading = (more: Partial<Reading> = {}): Reading => ({
  runs: [run], run, tree, place: HOME, go: nothing, theme: "light", look: "system", chooseLook: nothing, change: growth(run, columns),
  shown: new Uint8Array(tree.size).fill(1), narrowed: false, selected: null, select: (cluster) => { chosen = cluster; }, marked: new Set(), mark: nothing, say: nothing, part: null, showPart: nothing, ...more,
});

let root: HTMLElement;
beforeEach(() => {
  chosen = null;
  root = document.createElement("div");
  document.body.append(root);
});
afterEach(() => {
  render(null, root);
  root.remove();
});
const show = (what: preact.JSX.Element, more?: Partial<Reading>) => act(() => render(<ReadingProvider value={reading(more)}>{what}</ReadingProvider>, root));
const items = () => [...root.querySelectorAll<HTMLElement>('[role="treeitem"]')];
// the tree moves the focus in the frame after the one that draws the row
const frame = () => act(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))));
const press = async (key: string) => {
  await act(() => void (document.activeElement ?? root).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })));
  await frame();
};

describe("the tree on the page", () => {
  it("says its levels, sizes and places, and holds one stop for the Tab key", async () => {
    await show(<TreeView hovered={null} onHover={nothing} />);
    expect(items().map((item) => [item.ariaLevel ?? item.getAttribute("aria-level"), item.getAttribute("aria-setsize"), item.getAttribute("aria-posinset"), item.getAttribute("aria-expanded")])).toEqual([["1", "2", "1", "false"], ["1", "2", "2", null]]);
    expect(items().filter((item) => item.tabIndex === 0)).toHaveLength(1);
    expect(root.textContent).toContain("not shown by name");
  });

  it("is opened, walked and chosen from by keys alone", async () => {
    await show(<TreeView hovered={null} onHover={nothing} />);
    items()[0].focus();
    await press("ArrowRight");
    expect(items()[0].getAttribute("aria-expanded")).toBe("true");
    await press("ArrowRight");
    expect(document.activeElement?.textContent).toContain("Fix errors");
    await press("End");
    expect(document.activeElement?.textContent).toContain("Cooking");
    await press("w");
    expect(document.activeElement?.textContent).toContain("Write tests");
    await press("Enter");
    expect(chosen).toBe(3);
    await press("ArrowLeft");
    expect(document.activeElement?.textContent).toContain("Software");
  });

  it("lays open what a filter found and counts it", async () => {
    const shown = new Uint8Array(tree.size);
    shown[5] = 1;
    await show(<TreeView hovered={null} onHover={nothing} />, { shown, narrowed: true });
    expect(items().map((item) => item.querySelector(".name")?.textContent)).toEqual(["Software", "Fix errors", "Fix 数学"]);
    expect(root.textContent).toContain("1 of 6 clusters");
  });
});

describe("what is hidden", () => {
  it("is counted with its reason beside what is shown of a facet", async () => {
    const cell = { value: "ja", conversations: 90, share: 0.09, share_low: 0.08, share_high: 0.1, base: 0.05, lift: 1.8, lift_low: 1.6, lift_high: 2, q: 0.001, mark: "over" as const };
    await show(<Breakdown facets={[{ facet: "language", kind: "category", cells: [cell], hidden: 10, withheld: 120 }, { facet: "model", kind: "category", cells: [], hidden: 1, withheld: 1000 }]} of={1000} minimum={minimumOf(run)} />);
    expect(root.textContent).toContain("11 facet values hidden: fewer than 5 accounts or 15 conversations");
    expect(root.querySelector("h4")?.textContent).toBe("Language12 % withheld");
    expect(root.querySelector(".lift")?.textContent).toBe("▲ ×1.8");
    expect(root.querySelectorAll(".against")).toHaveLength(1);
  });

  it("may leave nothing to be said of a value", async () => {
    const cell = (value: string, lift_high: number) => ({ value, conversations: 50, share: 0.5, share_low: 0.4, share_high: 0.9, base: 0.5, lift: 1, lift_low: 0.5, lift_high, q: 1, mark: "similar" as const });
    await show(<Breakdown facets={[{ facet: "language", kind: "category", cells: [cell("en", 2), cell("ja", 2.1)], hidden: 0, withheld: 40 }]} of={100} minimum="" />);
    const lifts = [...root.querySelectorAll(".lift")];
    expect(lifts.map((one) => one.textContent?.trim())).toEqual(["≈ ×1.0", "?"]);
    expect(lifts[1].getAttribute("title")).toContain("40 % withheld");
  });

  it("on one side of a comparison is called too few, not a difference", async () => {
    const change = changeOf({ comparison: run.comparisons[0], a_conversations: 1, b_conversations: 1, a: [0.2, null], b: [null, null], diff: [null, null], low: [null, null], high: [null, null], q: [null, null] });
    await show(<Difference change={change} cluster={0} />);
    expect(root.textContent).toBe("A only not shown in 29 Dec 2025 – 11 Jan 2026: too few there, or withheld");
    await show(<Difference change={change} cluster={1} />);
    expect(root.textContent).toBe("– too few to compare, or withheld");
  });

  it("in a week breaks the line of the trend, and too few weeks draw none", async () => {
    const week = (share: number | null) => ({ week: "2026-W01", conversations: share && 10, share, share_low: share, share_high: share });
    await show(<Spark trend={[week(0.1), week(null), week(null)]} colour="#123456" />);
    expect(root.querySelector("svg")).toBeNull();
    expect(root.textContent).toContain("Too few conversations a week");
  });
});

describe("what is counted", () => {
  it("is called by its name everywhere: a run of requests speaks of no conversations", async () => {
    const requests = { ...run, counted: "requests" as const, policy: { ...run.policy, min_conversations: 15, max_per_user: 50 } };
    const parts = [<Header />, <DetailPanel onHover={nothing} />, <TreeView hovered={null} onHover={nothing} />, <TableScreen />, <RunPage />, <Marked />, <Legend overlay={undefined} />, <Breadcrumb />, <TimeStrip />, <Spark trend={[{ week: "2026-W01", conversations: null, share: null, share_low: null, share_high: null }]} colour="#123456" />];
    for (const part of parts) {
      await show(part, { run: requests, runs: [requests], marked: new Set([0]) });
      expect(root.innerHTML.toLowerCase()).not.toContain("conversation");
      await show(part, { marked: new Set([0]) });
      expect(root.innerHTML.toLowerCase()).not.toContain("request");
    }
    await show(<Breakdown facets={[]} of={0} minimum={minimumOf(requests)} />, { run: requests });
    expect(minimumOf(requests)).toBe("fewer than 5 accounts or 15 requests");
    expect([counted(1, requests), counted(1200, requests), counted(1, run)]).toEqual(["1 request", "1,200 requests", "1 conversation"]);
  });
});

describe("texts of a model", () => {
  it("stay text, whatever marks they hold", async () => {
    const hostile = "<img src=x onerror=alert(1)></script>";
    await show(<TreeView hovered={null} onHover={nothing} />, { tree: hierarchy({ ...columns, name: columns.name.map(() => hostile) }), place: { ...HOME, query: "img" } });
    expect(root.querySelector("img, script")).toBeNull();
    expect(items()[0].querySelector(".name")?.textContent).toBe(hostile);
    expect(items()[0].querySelector("mark")?.textContent).toBe("img");
  });
});
