// One cluster as a page of its own.

import type { JSX } from "preact";
import { percent } from "../model/format";
import { sideName } from "../model/names";
import { Audit, BreakdownOf, Children, Head, Nearest, Trend, useDetail } from "./detail";
import { Breadcrumb } from "./explore";
import { useReading } from "./reading";
import { Section } from "./small";

export function ClusterPage({ cluster }: { cluster: number }): JSX.Element {
  const { tree, go, change } = useReading();
  const detail = useDetail(cluster);
  const parent = tree.parent[cluster];
  const { columns } = tree;
  return (
    <main class="page" id="main" tabIndex={-1}>
      <div class="page-top">
        <Breadcrumb />
        <button type="button" class="button" onClick={() => go({ screen: "explore" })}>Show on the map</button>
      </div>
      <article class="sheet detail" key={cluster}>
        <div class="sheet-head">
          <Head cluster={cluster} page />
          {parent >= 0 && (
            <p class="quiet">
              {percent(columns.conversations[cluster] / columns.conversations[parent])} of <span dir="auto">{columns.name[parent]}</span>
              {change && `; A − B is ${sideName(change.comparison, "a")} less ${sideName(change.comparison, "b")}`}
            </p>
          )}
        </div>
        {detail.state === "failed" && <p class="empty">The rest of this cluster could not be loaded.</p>}
        {detail.state === "here" && (
          <div class="sheet-columns">
            <div>
              <Section title="Compared with the base rate" aside={<><i class="tick" aria-hidden="true" /> base rate · × lift, FDR 5 %</>}>
                <BreakdownOf detail={detail.value} />
              </Section>
            </div>
            <div>
              <Trend detail={detail.value} cluster={cluster} height={170} />
              <Children detail={detail.value} cluster={cluster} />
              <Nearest detail={detail.value} />
              <Audit cluster={cluster} />
            </div>
          </div>
        )}
      </article>
    </main>
  );
}
