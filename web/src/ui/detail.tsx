// One cluster in full, or the whole run where none is chosen.

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { api, type Detail } from "../api";
import { hue } from "../model/colour";
import { count, counted, label, percent, plural, range, weekSpan } from "../model/format";
import { BaseRates, Breakdown, minimumOf } from "./facets";
import { Icon } from "./icons";
import { useAnswer, useReading, type Asked } from "./reading";
import { Difference, Section, Swatch } from "./small";
import { Spark } from "./spark";
import { Withheld } from "./withheld";

export const useDetail = (cluster: number | null): Asked<Detail> => {
  const { run, tree } = useReading();
  const id = cluster === null ? null : tree.columns.id[cluster];
  return useAnswer(id === null ? null : `${run.id} ${id}`, () => api.detail(run.id, id ?? ""));
};

export function DetailPanel({ onHover }: { onHover: (cluster: number | null) => void }): JSX.Element {
  const { selected } = useReading();
  const detail = useDetail(selected);
  const panel = usePanel(selected);
  if (selected === null) return <Overview />;
  return (
    <article class="detail" key={selected} ref={panel}>
      <Head cluster={selected} />
      {detail.state === "failed" && <p class="empty">The rest of this cluster could not be loaded.</p>}
      {detail.state === "here" && (
        <>
          <Section title="Compared with the base rate" aside={<><i class="tick" aria-hidden="true" /> base rate · × lift, FDR 5 %</>}>
            <BreakdownOf detail={detail.value} />
          </Section>
          <Trend detail={detail.value} cluster={selected} />
          <Children detail={detail.value} cluster={selected} onHover={onHover} />
          <Nearest detail={detail.value} onHover={onHover} />
          <Audit cluster={selected} />
        </>
      )}
    </article>
  );
}

/** Begins each cluster at its top, and keeps the focus here when what had it is gone with the last cluster. */
function usePanel(selected: number | null) {
  const panel = useRef<HTMLElement>(null);
  const inside = useRef(false);
  useEffect(() => {
    const look = (event: FocusEvent) => {
      inside.current = panel.current?.contains(event.target as Node) ?? false;
    };
    addEventListener("focusin", look);
    return () => removeEventListener("focusin", look);
  }, []);
  useEffect(() => {
    panel.current?.parentElement?.scrollTo(0, 0);
    if (inside.current && document.activeElement === document.body) panel.current?.querySelector<HTMLElement>(".detail-name")?.focus();
  }, [selected]);
  return panel;
}

export function BreakdownOf({ detail }: { detail: Detail }): JSX.Element {
  const { run, tree } = useReading();
  return <Breakdown facets={detail.facets} of={tree.columns.conversations[tree.at.get(detail.id) ?? -1] ?? 0} minimum={minimumOf(run)} />;
}

export function Head({ cluster, page = false }: { cluster: number; page?: boolean }): JSX.Element {
  const { tree, go, marked, mark } = useReading();
  const { columns } = tree;
  const isMarked = marked.has(cluster);
  const toggle = () => {
    const next = new Set(marked);
    if (!next.delete(cluster)) next.add(cluster);
    mark(next);
  };
  const base = !tree.children[cluster].length;
  return (
    <>
      <div class="kicker">
        <Swatch cluster={cluster} />
        <span>
          Level {columns.level[cluster]} · {base ? "base cluster" : plural(tree.bases[cluster], "base cluster")}
        </span>
        <span class="kicker-actions">
          <button type="button" class="link" aria-pressed={isMarked} onClick={toggle}>{isMarked ? "Unmark" : "Mark"}</button>
          {!page && <button type="button" class="link" onClick={() => go({ screen: "cluster" })}>Open page</button>}
        </span>
      </div>
      <h2 class="detail-name" dir="auto" tabIndex={-1}>{columns.name[cluster]}</h2>
      <p class="description" dir="auto">{columns.description[cluster]}</p>
      <Numbers cluster={cluster} />
    </>
  );
}

function Numbers({ cluster }: { cluster: number }): JSX.Element {
  const { run, tree, change } = useReading();
  const { columns } = tree;
  const concern = columns.concern[cluster];
  const base = meanConcern(run.facets.find((one) => one.facet === "concern")?.values ?? []);
  const apart = concern === null || base === null ? null : concern - base;
  const interval = range(columns.share_low[cluster], columns.share_high[cluster]);
  const diff = change?.diff[cluster] ?? null;
  return (
    <dl class="numbers">
      <div>
        <dt>{label(run.counted)}</dt>
        <dd class="number">{count(columns.conversations[cluster])}</dd>
        <dd class="quiet">{columns.users[cluster]} accounts</dd>
      </div>
      <div>
        <dt>Share of all</dt>
        <dd class="number" title={interval && `95 %: ${interval}`}>{percent(columns.share[cluster])}</dd>
        <dd>
          {diff === null ? <span class="quiet">{interval}</span> : <><Difference change={change} cluster={cluster} /> <span class="quiet">pt, B→A</span></>}
        </dd>
        {diff !== null && interval && <dd class="quiet number">{interval}</dd>}
      </div>
      {concern !== null && (
        <div>
          <dt>Concern (1–5)</dt>
          <dd class="number">{concern.toFixed(1)}</dd>
          <dd>
            {apart !== null && (
              <span class={Math.abs(apart) < 0.05 ? "same" : apart > 0 ? "over" : "under"}>
                {Math.abs(apart) < 0.05 ? "≈ as base" : `${apart > 0 ? "▲" : "▼"} ${Math.abs(apart).toFixed(1)} vs base`}
              </span>
            )}
          </dd>
        </div>
      )}
    </dl>
  );
}

/** The mean of ratings, weighted by conversations; null without any. */
export function meanConcern(values: readonly { value: string; conversations: number }[]): number | null {
  const rated = values.filter((one) => /^[1-5]$/.test(one.value));
  const total = rated.reduce((sum, one) => sum + one.conversations, 0);
  return total ? rated.reduce((sum, one) => sum + Number(one.value) * one.conversations, 0) / total : null;
}

export function Trend({ detail, cluster, height }: { detail: Detail; cluster: number; height?: number }): JSX.Element | null {
  const { tree, theme } = useReading();
  const { trend } = detail;
  if (!trend.length) return null;
  return (
    <Section title="Weekly share" aside={weekSpan(trend[0].week, trend[trend.length - 1].week)}>
      <Spark trend={trend} colour={hue(tree.theme[cluster], theme)} height={height} />
    </Section>
  );
}

export function Children({ detail, cluster, onHover }: { detail: Detail; cluster: number; onHover?: (cluster: number | null) => void }): JSX.Element | null {
  const { run, tree, change, select } = useReading();
  const inside = tree.children[cluster];
  if (!inside.length && !detail.other) return null;
  return (
    <Section title="Inside" aside="share of all">
      {inside.length > 0 && (
        <ul class="links">
          {inside.map((child) => (
            <li key={child}>
              <button type="button" onClick={() => select(child)} onMouseEnter={() => onHover?.(child)} onMouseLeave={() => onHover?.(null)}>
                <span dir="auto">{tree.columns.name[child]}</span>
                <span class="number">{percent(tree.columns.share[child])}</span>
                <Difference change={change} cluster={child} />
              </button>
            </li>
          ))}
        </ul>
      )}
      {detail.other > 0 && (
        <p class="withheld">
          <Icon name="lock" size={13} />
          {counted(detail.other, run)} more, counted here, but not shown by name
        </p>
      )}
    </Section>
  );
}

export function Nearest({ detail, onHover }: { detail: Detail; onHover?: (cluster: number | null) => void }): JSX.Element | null {
  const { tree, select } = useReading();
  const near = detail.nearest.flatMap(({ id, similarity }) => {
    const place = tree.at.get(id);
    return place === undefined ? [] : [{ place, similarity }];
  });
  if (!near.length) return null;
  return (
    <Section title="Nearest clusters" aside="cosine similarity">
      <ul class="links">
        {near.map(({ place, similarity }) => (
          <li key={place}>
            <button type="button" onClick={() => select(place)} onMouseEnter={() => onHover?.(place)} onMouseLeave={() => onHover?.(null)}>
              <Swatch cluster={place} round />
              <span dir="auto">{tree.columns.name[place]}</span>
              <span class="number quiet">{similarity.toFixed(2)}</span>
            </button>
          </li>
        ))}
      </ul>
    </Section>
  );
}

export function Audit({ cluster }: { cluster: number }): JSX.Element {
  const { run, tree } = useReading();
  const { min_users } = run.policy;
  return (
    <div class="audit">
      <Icon name="shield" size={17} />
      <p>
        <b>Privacy audit {tree.columns.audit[cluster]} of 5.</b> Name and description were checked for identifiers and for support by several people
        {typeof min_users === "number" ? `; at least ${count(min_users)} accounts contribute` : ""}. No conversation is stored in this view.
      </p>
    </div>
  );
}

function Overview(): JSX.Element {
  const { run, tree, go } = useReading();
  const interval = range(run.coverage_low, run.coverage_high);
  return (
    <article class="detail">
      <div class="kicker">
        <span>The whole run</span>
        <span class="kicker-actions">
          <button type="button" class="link" onClick={() => go({ screen: "run" })}>How it was made</button>
        </span>
      </div>
      <h2 class="detail-name">All {run.counted}</h2>
      <p class="description">Choose a cluster in the tree or on the map. The shares below are the base rates that every cluster is held against.</p>
      <dl class="numbers">
        <div>
          <dt>{label(run.counted)}</dt>
          <dd class="number">{count(run.conversations)}</dd>
          <dd class="quiet">{run.users} accounts</dd>
        </div>
        <div>
          <dt>Clusters</dt>
          <dd class="number">{count(tree.size)}</dd>
          <dd class="quiet">{run.levels.map(count).join(" / ")}</dd>
        </div>
        <div>
          <dt>Under a name</dt>
          <dd class="number">{percent(run.coverage)}</dd>
          <dd class="quiet">{interval || "coverage"}</dd>
        </div>
      </dl>
      {run.sample && (
        <p class="withheld">
          <Icon name="info" size={13} />A sample of {count(run.sample.conversations)} of {counted(run.sample.population, run)}{run.sample.by ? `, in proportion by ${run.sample.by}` : ""}; ranges are 95 % intervals
        </p>
      )}
      <Section title="Base rates" aside={`share of all ${run.counted}`}>
        <BaseRates run={run} />
      </Section>
      <Withheld />
    </article>
  );
}
