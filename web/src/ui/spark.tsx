// The share of a cluster by week: a line with its 95 % band, broken where a week is not shown.

import type { JSX } from "preact";
import type { Detail } from "../api";
import { percent, range, weekSpan, weekStart } from "../model/format";
import { useReading } from "./reading";
import { useWidth } from "./small";

type Week = Detail["trend"][number];
type Known = Week & { share: number };
const known = (week: Week): week is Known => week.share !== null;

/** Two to four round marks from 0 or from below the least, and their distance. */
export function marks(low: number, high: number): number[] {
  const span = Math.max(high - low, high * 0.2, 1e-6);
  const rough = span / 3;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * ([1, 2, 5, 10].find((one) => one * unit >= rough) ?? 10);
  const first = Math.max(0, Math.floor(low / step));
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(6)));
}

const short = (share: number) => `${Number((100 * share).toPrecision(3))} %`;

export function Spark({ trend, colour, height = 92 }: { trend: readonly Week[]; colour: string; height?: number }): JSX.Element | null {
  const { run } = useReading();
  const [frame, width] = useWidth();
  const shown = trend.filter(known);
  if (shown.length < 2) return <p class="quiet small-text">{trend.length ? `Too few ${run.counted} a week to show.` : "The logs hold no dates."}</p>;
  const axis = marks(Math.min(...shown.map((one) => one.share)), Math.max(...shown.map((one) => one.share)));
  const [low, high] = [axis[0], axis[axis.length - 1]];
  const [right, bottom] = [width - 46, height - 20];
  const x = (i: number) => 5 + (i * (right - 10)) / Math.max(1, trend.length - 1);
  const y = (share: number) => bottom - ((Math.min(high, Math.max(low, share)) - low) / (high - low)) * (bottom - 6);
  const runs: number[][] = [];
  trend.forEach((week, i) => {
    if (!known(week)) return;
    const last = runs[runs.length - 1];
    if (last && last[last.length - 1] === i - 1) last.push(i);
    else runs.push([i]);
  });
  const at = (i: number, share: number | null) => `${x(i).toFixed(1)},${y(share ?? 0).toFixed(1)}`;
  const final = trend.findLastIndex(known);
  const said = `Weekly share, ${weekSpan(trend[0].week, trend[trend.length - 1].week)}: from ${percent(shown[0].share)} to ${percent(shown[shown.length - 1].share)}`;
  return (
    <div class="spark" ref={frame}>
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label={said}>
          {axis.map((mark) => (
            <g key={mark}>
              <line class="grid" x1="0" x2={right} y1={y(mark)} y2={y(mark)} />
              <text x={right + 8} y={y(mark) + 4}>{short(mark)}</text>
            </g>
          ))}
          {runs.map((one) => (
            <g key={one[0]}>
              <polygon points={[...one.map((i) => at(i, trend[i].share_high)), ...one.toReversed().map((i) => at(i, trend[i].share_low))].join(" ")} fill={colour} opacity="0.16" />
              <polyline points={one.map((i) => at(i, trend[i].share)).join(" ")} fill="none" stroke={colour} stroke-width="2.200" stroke-linejoin="round" stroke-linecap="round" />
              {one.length === 1 && <circle cx={x(one[0])} cy={y(trend[one[0]].share ?? 0)} r="2.500" fill={colour} />}
            </g>
          ))}
          <circle class="spark-end" cx={x(final)} cy={y(trend[final].share ?? 0)} r="4" fill={colour} />
          {trend.map((week, i) => (
            <rect key={week.week} class="spark-reach" x={x(i) - (right - 10) / trend.length / 2} y="0" width={(right - 10) / trend.length} height={bottom}>
              <title>{known(week) ? `${weekSpan(week.week, week.week)}: ${percent(week.share)} (95 %: ${range(week.share_low, week.share_high)})` : `${weekSpan(week.week, week.week)}: too few to show`}</title>
            </rect>
          ))}
          <text x="1" y={height - 3}>{weekStart(trend[0].week)}</text>
          <text x={right} y={height - 3} text-anchor="end">{weekStart(trend[trend.length - 1].week)}</text>
        </svg>
      )}
    </div>
  );
}
