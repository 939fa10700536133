// All clusters as a table: sorted by any column, marked by box, taken away as CSV.

import type { JSX } from "preact";
import { useCallback, useEffect, useMemo } from "preact/hooks";
import { save } from "../model/csv";
import { overlayKey } from "../model/filter";
import { ARROW, count, direction, label, liftText, percent, plural, range } from "../model/format";
import { facetName, sideName, valueName } from "../model/names";
import type { SortKey } from "../model/place";
import { sorted } from "../model/sorting";
import { MarkedText } from "./marked-text";
import { useOverlays } from "./overlays";
import { useReading } from "./reading";
import { clustersCsv } from "./share";
import { SideBySide } from "./side-by-side";
import { Difference, Swatch } from "./small";
import { useWindow } from "./virtual";

const ROW = 41;
const guess = () => ROW;

export function TableScreen(): JSX.Element {
  const { run, tree, place, go, shown, change, selected, select, marked, mark } = useReading();
  const { columns } = tree;
  const facets = run.facets.filter((one) => one.kind !== "time");
  const lift = place.lift ?? (facets[0]?.values[0] ? { facet: facets[0].facet, value: facets[0].values[0].value } : null);
  const overlays = useOverlays(run.id, lift ? [[lift.facet, lift.value]] : []);
  const overlay = lift ? (overlays.get(overlayKey(lift.facet, lift.value)) ?? null) : null;
  const list = useMemo(
    () => sorted(tree, Array.from(shown.keys()).filter((i) => shown[i]), place.sort, change, overlay),
    [tree, shown, place.sort, change, overlay],
  );
  const key = useCallback((i: number) => String(list[i]), [list]);
  const { items, total, frame, measure, reveal } = useWindow(list.length, key, guess, -1, 0);
  useEffect(() => {
    if (selected !== null) requestAnimationFrame(() => reveal(list.indexOf(selected)));
  }, [selected]);

  const after = items.length ? total - items[items.length - 1].top - ROW : 0;
  const allMarked = list.length > 0 && list.every((one) => marked.has(one));
  const set = (clusters: readonly number[], on: boolean) => {
    const next = new Set(marked);
    for (const one of clusters) if (on) next.add(one); else next.delete(one);
    mark(next);
  };
  const withConcern = columns.concern.some((value) => value !== null);

  const head = (by: SortKey, text: string, hint?: string, className = "right-cell") => {
    const active = place.sort.by === by;
    return (
      <th scope="col" class={className} aria-sort={active ? (place.sort.down ? "descending" : "ascending") : undefined}>
        <button type="button" title={hint} onClick={() => go({ sort: { by, down: active ? !place.sort.down : by !== "name" && by !== "level" } }, "replace")}>
          {text}
          <i aria-hidden="true">{active ? (place.sort.down ? "↓" : "↑") : ""}</i>
        </button>
      </th>
    );
  };

  return (
    <SideBySide label="Table of clusters">
      <div class="bar-above">
        <span class="quiet">{plural(list.length, "cluster")}{list.length < tree.size && ` of ${count(tree.size)}`}</span>
        {lift && (
          <label class="inline-field">
            Lift of
            <select class="field" value={overlayKey(lift.facet, lift.value)} onChange={(event) => {
              const [facet, value] = event.currentTarget.value.split("\n");
              go({ lift: { facet, value } }, "replace");
            }}>
              {facets.map(({ facet, values }) => (
                <optgroup key={facet} label={facetName(facet)}>
                  {values.map(({ value }) => <option key={value} value={overlayKey(facet, value)}>{facetName(facet)}: {valueName(facet, value)}</option>)}
                </optgroup>
              ))}
            </select>
          </label>
        )}
        <button type="button" class="button small" onClick={() => save(clustersCsv(tree, list), `${run.id}-clusters.csv`)}>
          CSV of these
        </button>
      </div>
      <div class="table-frame" ref={frame} tabIndex={0} role="region" aria-label="Clusters">
        <table class="clusters" aria-rowcount={list.length + 1}>
          <thead>
            <tr>
              <th scope="col" class="box-cell">
                <label class="box"><input type="checkbox" aria-label="Mark all listed" checked={allMarked} onChange={(event) => set(list, event.currentTarget.checked)} /></label>
              </th>
              {head("name", "Cluster", undefined, "name-cell")}
              {head("level", "Level", undefined, "right-cell roomy-only")}
              {head("share", "Share")}
              {head("size", label(run.counted), undefined, "right-cell wide-only")}
              {change && head("growth", "A − B", `${sideName(change.comparison, "a")} less ${sideName(change.comparison, "b")}, in points`)}
              {lift && head("lift", "Lift", `${facetName(lift.facet)}: ${valueName(lift.facet, lift.value)}, against the base rate`)}
              {withConcern && head("concern", "Concern", "mean, 1–5", "right-cell wide-only")}
              {head("audit", "Audit", "1–5", "right-cell wide-only")}
            </tr>
          </thead>
          <tbody>
            {items.length > 0 && items[0].top > 0 && <tr aria-hidden="true"><td class="spacer" colSpan={9} style={{ height: `${items[0].top}px` }} /></tr>}
            {items.map(({ index }) => {
              const cluster = list[index];
              const value = overlay?.lift[cluster] ?? null;
              const way = direction(value, overlay?.mark[cluster] === "over" || overlay?.mark[cluster] === "under");
              return (
                <tr key={key(index)} ref={measure(key(index))} aria-rowindex={index + 2} class={selected === cluster ? "selected" : undefined} onClick={() => select(cluster)}>
                  <td class="box-cell">
                    <label class="box" onClick={(event) => event.stopPropagation()}>
                      <input type="checkbox" aria-label={`Mark ${columns.name[cluster]}`} checked={marked.has(cluster)} onChange={(event) => set([cluster], event.currentTarget.checked)} />
                    </label>
                  </td>
                  <td class="name-cell">
                    <button type="button" aria-current={selected === cluster ? "true" : undefined} onClick={(event) => { event.stopPropagation(); select(cluster); }} title={columns.name[cluster]}>
                      <Swatch cluster={cluster} round={columns.level[cluster] > 1} />
                      <span dir="auto"><MarkedText text={columns.name[cluster]} query={place.query} /></span>
                    </button>
                  </td>
                  <td class="right-cell number quiet roomy-only">{columns.level[cluster]}</td>
                  <td class="right-cell number strong" title={range(columns.share_low[cluster], columns.share_high[cluster])}>{percent(columns.share[cluster])}</td>
                  <td class="right-cell number wide-only">{count(columns.conversations[cluster])}</td>
                  {change && <td class="right-cell"><Difference change={change} cluster={cluster} /></td>}
                  {lift && (
                    <td class={`right-cell number ${way}`}>
                      {value === null ? <span class="quiet" title="not shown: too few, or none">{overlay ? "–" : "…"}</span> : <><i aria-hidden="true">{ARROW[way]}</i> {liftText(value, way)}</>}
                    </td>
                  )}
                  {withConcern && <td class="right-cell number wide-only">{columns.concern[cluster]?.toFixed(1) ?? <span class="quiet" title="not shown">–</span>}</td>}
                  <td class="right-cell number wide-only">{columns.audit[cluster]}</td>
                </tr>
              );
            })}
            {after > 0 && <tr aria-hidden="true"><td class="spacer" colSpan={9} style={{ height: `${after}px` }} /></tr>}
          </tbody>
        </table>
        {!list.length && <p class="empty">No cluster passes. Loosen a filter or search for other words.</p>}
      </div>
    </SideBySide>
  );
}
