// What is marked, by lasso or by box: how much it is, and its table.

import type { JSX } from "preact";
import { save } from "../model/csv";
import { percent, plural } from "../model/format";
import { path, type Hierarchy } from "../model/hierarchy";
import { useReading } from "./reading";
import { clustersCsv } from "./share";

/** The share of what is marked; a cluster under a marked one counts once. */
export function shareOf(tree: Hierarchy, marked: ReadonlySet<number>): number {
  let sum = 0;
  for (const place of marked) if (!path(tree, place).slice(0, -1).some((above) => marked.has(above))) sum += tree.columns.share[place];
  return sum;
}

export function Marked(): JSX.Element | null {
  const { tree, run, marked, mark } = useReading();
  if (!marked.size) return null;
  return (
    <div class="float marked" role="status">
      <span>
        <b>{plural(marked.size, "cluster")}</b> marked · <span class="number">{percent(shareOf(tree, marked))}</span> of {run.counted}
      </span>
      <button type="button" class="link" onClick={() => save(clustersCsv(tree, [...marked].sort((a, b) => a - b)), `${run.id}-marked.csv`)}>
        CSV
      </button>
      <button type="button" class="link" onClick={() => mark([])}>
        Clear
      </button>
    </div>
  );
}
