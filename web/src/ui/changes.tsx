// A against B: how each cluster's share differs, with its interval, and what is shown on one side only.

import type { JSX } from "preact";
import { useCallback, useMemo, useState } from "preact/hooks";
import { api } from "../api";
import { changeOf, ownWindows, type ChangeKind } from "../model/change";
import { ARROW, count, counted, percent, plural, range, signed } from "../model/format";
import { sideName } from "../model/names";
import { ComparisonChooser } from "./comparison-chooser";
import { MarkedText } from "./marked-text";
import { useAnswer, useReading } from "./reading";
import { SideBySide } from "./side-by-side";
import { Swatch, useWidth } from "./small";
import { useWindow } from "./virtual";

type Shown = Exclude<ChangeKind, "hidden"> | "all";
const KINDS: [Shown, string][] = [
  ["all", "All"],
  ["rising", "Rising"],
  ["falling", "Falling"],
  ["only-a", "Shown in A only"],
  ["only-b", "Shown in B only"],
  ["steady", "No clear change"],
];
const ROW = 46;
const guess = () => ROW;

/** The deepest level at which most clusters can be compared, else the one with the most that can. */
export function telling(levels: readonly number[], diff: readonly (number | null)[], depth: number): number {
  const own = Array.from({ length: depth }, () => ({ all: 0, known: 0 }));
  levels.forEach((level, i) => {
    own[level - 1].all += 1;
    if (diff[i] !== null) own[level - 1].known += 1;
  });
  const deep = own.findLastIndex(({ all, known }) => known > 0 && 2 * known >= all);
  return 1 + (deep >= 0 ? deep : own.reduce((best, one, i) => (one.known > own[best].known ? i : best), 0));
}

export function ChangesScreen(): JSX.Element {
  const { run, tree, place: here, shown, selected, select } = useReading();
  const { columns } = tree;
  const id = here.comparison ?? run.growth ?? run.comparisons[0]?.id ?? "";
  const own = useMemo(() => ownWindows(id, run), [id, run]);
  const asked = useAnswer(id, () => (own ? api.compare(run.id, own.facet, own.a, own.b) : api.comparison(run.id, id)));
  const compared = asked.state === "here" ? asked.value : null;
  const change = useMemo(() => compared && changeOf(compared), [compared]);
  const [kind, setKind] = useState<Shown>("all");
  const [chosenLevel, setLevel] = useState<number | null>(null);
  const level = chosenLevel ?? (change ? telling(columns.level, change.diff, tree.depth) : tree.depth);

  const candidates = useMemo(() => Array.from(shown.keys()).filter((i) => shown[i] && columns.level[i] === level && change && change.kind[i] !== "hidden"), [shown, columns, level, change]);
  const list = useMemo(() => {
    if (!change || !compared) return [];
    // what is shown on one side only stands where its whole share would
    const weight = (i: number) => change.diff[i] ?? (change.kind[i] === "only-a" ? (compared.a[i] ?? 0) : -(compared.b[i] ?? 0));
    return candidates.filter((i) => kind === "all" || change.kind[i] === kind).sort((a, b) => weight(b) - weight(a));
  }, [candidates, change, compared, kind]);
  const key = useCallback((i: number) => String(list[i]), [list]);
  const { items, total, frame, measure } = useWindow(list.length, key, guess);
  const [plot, width] = useWidth();
  const reach = useMemo(() => (change ? Math.max(...candidates.map((i) => (change.diff[i] === null ? 0 : Math.max(Math.abs(change.low[i] ?? 0), Math.abs(change.high[i] ?? 0)))), 0.001) * 1.06 : 1), [change, candidates]);

  return (
    <SideBySide label="What changed">
      <div class="bar-above changes-bar">
        <ComparisonChooser />
        <label class="inline-field">
          Level
          <select class="field" value={level} onChange={(event) => setLevel(Number(event.currentTarget.value))}>
            {run.levels.map((n, i) => (
              <option key={i} value={i + 1}>{`${i + 1} · ${count(n)} clusters`}</option>
            ))}
          </select>
        </label>
      </div>
      {asked.state === "failed" && <p class="empty">This comparison is not to be had here.</p>}
      {compared && change && (
        <>
          <div class="sides">
            <Side which="a" title={sideName(compared.comparison, "a")} values={compared.comparison.a} conversations={compared.a_conversations} />
            <span class="quiet">against</span>
            <Side which="b" title={sideName(compared.comparison, "b")} values={compared.comparison.b} conversations={compared.b_conversations} />
            <p class="quiet">One joint clustering of all {run.counted}: a cluster is the same on both sides. Filled dots are differences that are not chance, at a false discovery rate of 5 %; lines are 95 % intervals.</p>
          </div>
          <div class="kinds" role="group" aria-label="Kind of change">
            {KINDS.map(([one, text]) => {
              const n = one === "all" ? candidates.length : candidates.filter((i) => change.kind[i] === one).length;
              return (
                <button type="button" key={one} class={`kind ${one}`} aria-pressed={kind === one} onClick={() => setKind(one)}>
                  {text} <span class="number">{count(n)}</span>
                </button>
              );
            })}
          </div>
          <div class="plot-head" aria-hidden="true">
            <span>Cluster</span>
            <span class="right-text">B</span>
            <span class="right-text">A</span>
            <Axis reach={reach} width={width} />
            <span class="right-text">A − B</span>
          </div>
          <div class="plot" ref={frame} tabIndex={0} role="region" aria-label={`${plural(list.length, "cluster")} by change`}>
            <div class="plot-measure" aria-hidden="true"><span /><span /><span /><span ref={plot} /><span /></div>
            <ul style={{ height: `${total}px` }} class="plot-rows">
              {items.map(({ index, top }) => {
                const i = list[index];
                return (
                  <li key={key(index)} ref={measure(key(index))} style={{ transform: `translateY(${top}px)` }}>
                    <button type="button" class={selected === i ? "plot-row selected" : "plot-row"} aria-current={selected === i ? "true" : undefined} onClick={() => select(i)}>
                      <span class="plot-name">
                        <Swatch cluster={i} round />
                        <span dir="auto"><MarkedText text={columns.name[i]} query={here.query} /></span>
                      </span>
                      <Part share={compared.b[i]} side="B" />
                      <Part share={compared.a[i]} side="A" />
                      <Dot diff={change.diff[i]} low={change.low[i]} high={change.high[i]} kind={change.kind[i]} reach={reach} width={width} />
                      <Amount diff={change.diff[i]} low={change.low[i]} high={change.high[i]} kind={change.kind[i]} />
                    </button>
                  </li>
                );
              })}
            </ul>
            {!list.length && <p class="empty">No cluster of this kind.</p>}
          </div>
        </>
      )}
    </SideBySide>
  );
}

function Side({ which, title, values, conversations }: { which: "a" | "b"; title: string; values: readonly string[]; conversations: number }): JSX.Element {
  const { run } = useReading();
  return (
    <div class="side">
      <span class={`window-${which}`} aria-hidden="true" />
      <b>{which.toUpperCase()}</b>
      <span dir="auto" title={values.join(", ")}>{title}</span>
      <span class="quiet number">{counted(conversations, run)}</span>
    </div>
  );
}

const Part = ({ share, side }: { share: number | null; side: string }) => (
  <span class="number right-text">{share === null ? <span class="quiet" title={`too few to show in ${side}`}>–</span> : percent(share)}</span>
);

/** Round differences on both sides of 0, few enough to be read. */
export function ticks(reach: number): number[] {
  const step = [1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((one) => reach / one < 3) ?? 1;
  const n = Math.floor(reach / step);
  return Array.from({ length: 2 * n + 1 }, (_, i) => (i - n) * step);
}

const place = (value: number, reach: number, width: number) => (width / 2) * (1 + value / reach);

function Axis({ reach, width }: { reach: number; width: number }): JSX.Element {
  return (
    <svg class="plot-axis" width={width} height={30}>
      <text x="0" y="10">{width > 260 ? "← more in B" : ""}</text>
      <text x={width} y="10" text-anchor="end">{width > 260 ? "more in A →" : ""}</text>
      {ticks(reach).map((tick) => (
        <text key={tick} x={place(tick, reach, width)} y="26" text-anchor="middle">{tick === 0 ? "0" : `${tick < 0 ? "−" : "+"}${Number(Math.abs(100 * tick).toPrecision(2))}`}</text>
      ))}
    </svg>
  );
}

interface Given {
  diff: number | null;
  low: number | null;
  high: number | null;
  kind: ChangeKind;
}

function Dot({ diff, low, high, kind, reach, width }: Given & { reach: number; width: number }): JSX.Element {
  const x = (value: number) => place(value, reach, width);
  if (diff === null) return <span class="plot-hidden quiet">{`not shown in ${kind === "only-a" ? "B" : "A"}: too few there, or withheld`}</span>;
  return (
    <svg class={`dot ${kind}`} width={width} height={46} aria-hidden="true">
      {ticks(reach).map((tick) => (
        <line key={tick} class={tick === 0 ? "zero" : "grid"} x1={x(tick)} x2={x(tick)} y1="0" y2="46" />
      ))}
      {low !== null && high !== null && <line class="interval" x1={x(low)} x2={x(high)} y1="23" y2="23" />}
      <circle cx={x(diff)} cy="23" r="5" />
    </svg>
  );
}

function Amount({ diff, low, high, kind }: Given): JSX.Element {
  if (diff === null) return <span class="amount none">{kind === "only-a" ? "A only" : "B only"}</span>;
  const way = kind === "rising" ? "over" : kind === "falling" ? "under" : "same";
  return (
    <span class={`amount number ${way}`} title={`95 %: ${range(low, high)}`}>
      <i aria-hidden="true">{ARROW[way]}</i> {signed(diff)}
      <span class="hidden-text"> points{way === "same" ? ", may be chance" : ""}</span>
    </span>
  );
}
