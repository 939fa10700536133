// The frame of table and changes: a wide part, and beside it the cluster that is chosen.

import type { ComponentChildren, JSX } from "preact";
import { DetailPanel } from "./detail";
import { Filters } from "./filters";
import { Marked } from "./marked";
import { useReading } from "./reading";
import { Tabs } from "./tabs";

const nothing = () => undefined;

export function SideBySide({ label, children }: { label: string; children: ComponentChildren }): JSX.Element {
  const { part } = useReading();
  return (
    <div class="wide">
      <main class="wide-main" id="main" tabIndex={-1} aria-label={label}>
        <div class="wide-top">
          <Tabs />
          <Filters />
        </div>
        {children}
        <Marked />
      </main>
      {part === null && (
        <aside class="right" aria-label="Cluster">
          <DetailPanel onHover={nothing} />
        </aside>
      )}
    </div>
  );
}
