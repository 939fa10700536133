// All conversations by week, with the two windows that are compared; their ends can be dragged or chosen, by whole weeks.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { recorded, type FacetValues } from "../api";
import { ownId } from "../model/change";
import { counted, label, weekSpan, weekStart } from "../model/format";
import { sideName } from "../model/names";
import { ComparisonChooser } from "./comparison-chooser";
import { useReading } from "./reading";
import { useWidth } from "./small";

/** First and last week of a window, by place. */
type Span = [number, number];
interface Windows {
  a: Span;
  b: Span;
}

function spanOf(values: readonly string[], chosen: readonly string[]): Span | null {
  const places = chosen.map((value) => values.indexOf(value)).filter((place) => place >= 0);
  return places.length ? [Math.min(...places), Math.max(...places)] : null;
}

/** The windows after one end was moved; a window keeps a week at least and the two never share one. */
export function moved(windows: Windows, which: "a" | "b", end: 0 | 1, to: number, weeks: number): Windows {
  const own: Span = [...windows[which]];
  const other = windows[which === "a" ? "b" : "a"];
  const [low, high] = end === 0 ? [other[1] < own[0] ? other[1] + 1 : 0, own[1]] : [own[0], other[0] > own[1] ? other[0] - 1 : weeks - 1];
  own[end] = Math.min(high, Math.max(low, to));
  return { ...windows, [which]: own };
}

export function TimeStrip(): JSX.Element | null {
  const { run } = useReading();
  const weeks = run.facets.find((one) => one.kind === "time");
  return weeks && weeks.values.length > 1 ? <Strip weeks={weeks} /> : null;
}

function Strip({ weeks }: { weeks: FacetValues }): JSX.Element {
  const { run, change, go } = useReading();
  const names = weeks.values.map((one) => one.value);
  const comparison = change?.comparison;
  const ofTime = comparison?.facet === weeks.facet;
  const a = ofTime ? spanOf(names, comparison.a) : null;
  const b = ofTime ? spanOf(names, comparison.b) : null;
  const given = a && b ? { a, b } : null;
  const [dragged, setDragged] = useState<Windows | null>(null);
  const windows = dragged ?? given;
  useEffect(() => setDragged(null), [change]);
  const commit = (next: Windows) => {
    const values = ([from, to]: Span) => names.slice(from, to + 1);
    const same = run.comparisons.find((one) => one.facet === weeks.facet && one.a.join() === values(next.a).join() && one.b.join() === values(next.b).join());
    go({ comparison: same ? (same.id === run.growth ? null : same.id) : ownId(weeks.facet, values(next.a), values(next.b)) });
  };
  const text = (span: Span) => weekSpan(names[span[0]], names[span[1]]);
  return (
    <section class="time" aria-label="Time windows">
      <div class="time-text">
        <h2>Time windows</h2>
        {windows ? (
          <>
            <p><span class="window-a" aria-hidden="true" />A · {text(windows.a)}</p>
            <p><span class="window-b" aria-hidden="true" />B · {text(windows.b)}</p>
          </>
        ) : (
          comparison && (
            <>
              <p><b>A</b> · {sideName(comparison, "a")}</p>
              <p><b>B</b> · {sideName(comparison, "b")}</p>
            </>
          )
        )}
        <ComparisonChooser name="What is compared" />
      </div>
      <Bars weeks={weeks} windows={windows} movable={!recorded} onDrag={setDragged} onCommit={commit} />
    </section>
  );
}

const GROUND = 20;

interface BarsProps {
  weeks: FacetValues;
  windows: Windows | null;
  movable: boolean;
  onDrag: (windows: Windows) => void;
  onCommit: (windows: Windows) => void;
}

function Bars({ weeks, windows, movable, onDrag, onCommit }: BarsProps): JSX.Element {
  const { run } = useReading();
  const [frame, width] = useWidth();
  const svg = useRef<SVGSVGElement>(null);
  const height = 98;
  const { values } = weeks;
  const step = width / values.length;
  const most = Math.max(...values.map((one) => one.conversations));
  const inWindow = (i: number, span: Span | undefined) => span !== undefined && i >= span[0] && i <= span[1];
  // as many dates as there is room for
  const every = Math.max(1, Math.ceil(values.length / Math.max(2, Math.floor(width / 78))));
  const weekAt = (x: number, end: 0 | 1) => Math.round((x - (svg.current?.getBoundingClientRect().left ?? 0)) / step) - end;
  return (
    <div class="time-bars" ref={frame}>
      {width > 0 && (
        <svg ref={svg} width={width} height={height} role="group" aria-label={`${label(run.counted)} by week, ${weekSpan(values[0].value, values[values.length - 1].value)}`}>
          {windows &&
            (["a", "b"] as const).map((which) => (
              <rect key={which} class={`ground-${which}`} x={windows[which][0] * step} y="0" width={(windows[which][1] - windows[which][0] + 1) * step} height={height - GROUND} />
            ))}
          {values.map((one, i) => {
            const tall = Math.max(1, ((height - GROUND - 8) * one.conversations) / most);
            const gap = Math.min(3, step * 0.18);
            return (
              <rect key={one.value} class={inWindow(i, windows?.a) ? "bar-a" : inWindow(i, windows?.b) ? "bar-b" : "bar-rest"} x={i * step + gap / 2} y={height - GROUND - tall} width={Math.max(1, step - gap)} height={tall} rx={Math.min(2, step / 6)}>
                <title>{`${weekSpan(one.value, one.value)}: ${counted(one.conversations, run)}`}</title>
              </rect>
            );
          })}
          <line class="axis" x1="0" x2={width} y1={height - GROUND + 0.5} y2={height - GROUND + 0.5} />
          {values.map((one, i) => i % every === 0 && (i + 1) * step + 20 < width + step && (
            <text key={one.value} x={i * step + 1} y={height - 5}>{weekStart(one.value)}</text>
          ))}
          {windows &&
            movable &&
            (["b", "a"] as const).flatMap((which) =>
              ([0, 1] as const).map((end) => {
                const week = windows[which][end];
                const x = Math.min(width - 1, Math.max(1, (week + end) * step));
                // both lie inside of their window, so that where A and B meet each can be taken hold of
                const inside = (wide: number) => (end ? x - wide : x);
                return (
                  <g
                    key={`${which}${end}`}
                    class={`grip grip-${which}`}
                    role="slider"
                    tabindex={0}
                    aria-label={`${end ? "Last" : "First"} week of ${which.toUpperCase()}`}
                    aria-valuemin={0}
                    aria-valuemax={values.length - 1}
                    aria-valuenow={week}
                    aria-valuetext={weekSpan(values[week].value, values[week].value)}
                    onKeyDown={(event) => {
                      const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
                      if (!by) return;
                      event.preventDefault();
                      onCommit(moved(windows, which, end, week + by, values.length));
                    }}
                    onPointerDown={(event) => {
                      event.currentTarget.setPointerCapture(event.pointerId);
                      event.preventDefault();
                    }}
                    onPointerMove={(event) => {
                      if (event.currentTarget.hasPointerCapture(event.pointerId)) onDrag(moved(windows, which, end, weekAt(event.clientX, end), values.length));
                    }}
                    onPointerUp={(event) => {
                      if (event.currentTarget.hasPointerCapture(event.pointerId)) onCommit(moved(windows, which, end, weekAt(event.clientX, end), values.length));
                    }}
                  >
                    <rect class="grip-reach" x={inside(24)} y="0" width="24" height={height - GROUND} />
                    <line x1={x} x2={x} y1="2" y2={height - GROUND} />
                    <rect class="grip-handle" x={inside(7)} y={(height - GROUND) / 2 - 11} width="7" height="22" rx="3" />
                  </g>
                );
              }),
            )}
        </svg>
      )}
    </div>
  );
}
