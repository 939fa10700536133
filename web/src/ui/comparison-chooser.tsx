// Which A and B are compared: what the server offers.

import type { JSX } from "preact";
import { ownWindows } from "../model/change";
import { comparisonName, facetName } from "../model/names";
import { useReading } from "./reading";

export function ComparisonChooser({ name = "Comparison" }: { name?: string }): JSX.Element {
  const { run, place, go } = useReading();
  const chosen = place.comparison ?? run.growth ?? "";
  const own = ownWindows(chosen, run) !== null;
  const facets = [...new Set(run.comparisons.map((one) => one.facet))];
  return (
    <select class="field comparison" aria-label={name} value={chosen} onChange={(event) => go({ comparison: event.currentTarget.value === run.growth ? null : event.currentTarget.value })}>
      {own && <option value={chosen}>Own windows</option>}
      {facets.map((facet) => (
        <optgroup key={facet} label={facetName(facet)}>
          {run.comparisons
            .filter((one) => one.facet === facet)
            .map((one) => (
              <option key={one.id} value={one.id}>
                {comparisonName(one)}
              </option>
            ))}
        </optgroup>
      ))}
    </select>
  );
}
