// The filter chips: one for each filter that is set, a few that often are, and the rest behind "+ Filter".

import type { JSX } from "preact";
import { count, percent } from "../model/format";
import { facetName, valueName } from "../model/names";
import { replaced } from "../model/filter";
import type { Filter } from "../model/place";
import type { Hierarchy } from "../model/hierarchy";
import type { Run } from "../api";
import { Icon } from "./icons";
import { Popover } from "./popover";
import { useReading } from "./reading";

type Slot = { kind: "facet"; facet: string } | { kind: Exclude<Filter["kind"], "facet"> };
interface Choice {
  text: string;
  filter: Filter | null;
}

const slotKey = (slot: Slot) => (slot.kind === "facet" ? `facet ${slot.facet}` : slot.kind);
const TITLES: Record<Exclude<Filter["kind"], "facet">, string> = { concern: "Concern", size: "Size", level: "Level", audit: "Audit", growth: "Change" };

function slots(run: Run, tree: Hierarchy): Slot[] {
  const facets = run.facets.filter((one) => one.kind !== "time" && one.facet !== "concern").map((one): Slot => ({ kind: "facet", facet: one.facet }));
  const concern: Slot[] = tree.columns.concern.some((value) => value !== null) ? [{ kind: "concern" }] : [];
  const growth: Slot[] = run.comparisons.length ? [{ kind: "growth" }] : [];
  const level: Slot[] = tree.depth > 1 ? [{ kind: "level" }] : [];
  return [...facets.slice(0, 1), ...concern, { kind: "size" }, ...growth, ...level, ...facets.slice(1), { kind: "audit" }];
}

function choices(slot: Exclude<Slot, { kind: "facet" }>, tree: Hierarchy): Choice[] {
  const any: Choice = { text: "any", filter: null };
  const atLeast = (kind: "concern" | "audit" | "size", values: number[]): Choice[] => values.map((least) => ({ text: `≥ ${count(least)}`, filter: { kind, least } }));
  switch (slot.kind) {
    case "concern":
      return [any, ...atLeast("concern", [1.2, 1.5, 2, 3, 4])];
    case "audit":
      return [any, ...atLeast("audit", [4, 5])];
    case "size": {
      const most = Math.max(...tree.tops.map((top) => tree.columns.conversations[top]), 0);
      return [any, ...atLeast("size", [50, 100, 200, 500, 1000, 10_000, 100_000].filter((least) => least < most))];
    }
    case "level":
      return [any, ...Array.from({ length: tree.depth }, (_, i): Choice => ({ text: i === 0 ? "1 (top)" : i + 1 === tree.depth ? `${i + 1} (base)` : String(i + 1), filter: { kind: "level", level: i + 1 } }))];
    case "growth":
      return [any, { text: "more in A", filter: { kind: "growth", direction: "up" } }, { text: "more in B", filter: { kind: "growth", direction: "down" } }];
  }
}

const of = (filters: readonly Filter[], slot: Slot): Filter | undefined => filters.find((one) => one.kind === slot.kind && (one.kind !== "facet" || slot.kind !== "facet" || one.facet === slot.facet));
const same = (a: Filter | null | undefined, b: Filter | null) => JSON.stringify(a ?? null) === JSON.stringify(b);

export function Filters(): JSX.Element {
  const { run, tree, place, go } = useReading();
  const all = slots(run, tree);
  const usual = new Set(all.slice(0, 3).map(slotKey));
  const visible = all.filter((slot) => usual.has(slotKey(slot)) || of(place.filters, slot));
  const hidden = all.filter((slot) => !visible.includes(slot));
  return (
    <div class="filters" role="group" aria-label="Filters">
      {visible.map((slot) => (
        <Chip key={slotKey(slot)} slot={slot} />
      ))}
      {hidden.length > 0 && (
        <Popover label={<><Icon name="plus" size={12} />Filter</>} className="chip">
          {() => (
            <div class="form scroll">
              {hidden.map((slot) => (
                <Editor key={slotKey(slot)} slot={slot} />
              ))}
            </div>
          )}
        </Popover>
      )}
      {place.filters.length > 0 && (
        <button type="button" class="link small" onClick={() => go({ filters: [] })}>
          Clear all
        </button>
      )}
    </div>
  );
}

const title = (slot: Slot) => (slot.kind === "facet" ? facetName(slot.facet) : TITLES[slot.kind]);

function Chip({ slot }: { slot: Slot }): JSX.Element {
  const { tree, place, go } = useReading();
  const filter = of(place.filters, slot);
  const value = !filter ? "any" : filter.kind === "facet" ? filter.values.map((one) => valueName(filter.facet, one)).join(", ") : slot.kind === "facet" ? "" : (choices(slot, tree).find((one) => same(filter, one.filter))?.text ?? ("least" in filter ? `≥ ${filter.least}` : ""));
  return (
    <span class={filter ? "chip-group on" : "chip-group"}>
      <Popover label={<><b>{title(slot)}</b> <span class="chip-value">{value}</span></>} className="chip">
        {() => (
          <div class="form scroll">
            <Editor slot={slot} />
          </div>
        )}
      </Popover>
      {filter && (
        <button type="button" class="chip-remove" aria-label={`Remove the filter ${title(slot)}`} onClick={() => go({ filters: replaced(place.filters, filter, null) })}>
          <Icon name="close" size={12} />
        </button>
      )}
    </span>
  );
}

function Editor({ slot }: { slot: Slot }): JSX.Element {
  const { run, tree, place, go } = useReading();
  const filter = of(place.filters, slot);
  if (slot.kind === "facet") {
    const values = run.facets.find((one) => one.facet === slot.facet)?.values ?? [];
    const chosen = filter?.kind === "facet" ? filter.values : [];
    const set = (value: string, on: boolean) => {
      const next = on ? [...chosen, value] : chosen.filter((one) => one !== value);
      const like: Filter = { kind: "facet", facet: slot.facet, values: next };
      go({ filters: replaced(place.filters, like, next.length ? like : null) });
    };
    return (
      <fieldset>
        <legend>{title(slot)}: over-represented in the cluster</legend>
        {values.map(({ value, share }) => (
          <label class="check" key={value}>
            <input type="checkbox" checked={chosen.includes(value)} onChange={(event) => set(value, event.currentTarget.checked)} />
            <span dir="auto">{valueName(slot.facet, value)}</span>
            <span class="number quiet">{percent(share)}</span>
          </label>
        ))}
      </fieldset>
    );
  }
  return (
    <fieldset>
      <legend>{title(slot)}</legend>
      <div class="segments">
        {choices(slot, tree).map((choice) => (
          <label key={choice.text} class="segment">
            <input type="radio" name={`filter-${slot.kind}`} checked={same(filter, choice.filter)} onChange={() => go({ filters: replaced(place.filters, choice.filter ?? filter ?? { kind: "level", level: 0 }, choice.filter) })} />
            <span>{choice.text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
