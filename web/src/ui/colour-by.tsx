// What the map's colours mean.

import type { JSX } from "preact";
import { facetName, valueName } from "../model/names";
import { decodeColour, encodeColour } from "../model/place";
import { useReading } from "./reading";

export function ColourBy(): JSX.Element {
  const { run, tree, place, go } = useReading();
  const facets = run.facets.filter((one) => one.kind !== "time");
  return (
    <>
      <label for="colour-by">Colour by</label>
      <select id="colour-by" value={encodeColour(place.colour)} onChange={(event) => go({ colour: decodeColour(event.currentTarget.value) })}>
        <option value="theme">Theme</option>
        <option value="size">Size</option>
        {run.growth !== null && <option value="growth">Change, A − B</option>}
        {tree.columns.concern.some((value) => value !== null) && <option value="concern">Concern score</option>}
        {facets.map(({ facet, values }) => (
          <optgroup key={facet} label={`${facetName(facet)}, against the base rate`}>
            {values.map(({ value }) => (
              <option key={value} value={encodeColour({ by: "lift", facet, value })}>
                {facetName(facet)}: {valueName(facet, value)}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </>
  );
}
