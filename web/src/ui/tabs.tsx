// The tabs: the same clusters as a tree, as a table, as changes; on a narrow page each part of the first screen is one too.

import type { JSX } from "preact";
import { useReading, type Part } from "./reading";

const PARTS: [Part, string][] = [
  ["map", "Map"],
  ["tree", "Tree"],
  ["detail", "Cluster"],
];

export function Tabs(): JSX.Element {
  const { place, go, run, part, showPart } = useReading();
  const tab = (text: string, current: boolean, open: () => void) => (
    <button type="button" key={text} aria-current={current ? "page" : undefined} onClick={open}>
      {text}
    </button>
  );
  return (
    <nav class="tabs" aria-label="Views">
      {part === null
        ? tab("Tree", place.screen === "explore", () => go({ screen: "explore" }))
        : PARTS.map(([one, text]) =>
            tab(text, place.screen === "explore" && part === one, () => {
              showPart(one);
              go({ screen: "explore" });
            }),
          )}
      {tab("Table", place.screen === "table", () => go({ screen: "table" }))}
      {run.comparisons.length > 0 && tab(part === null ? "What changed" : "Changes", place.screen === "changes", () => go({ screen: "changes" }))}
    </nav>
  );
}
