// Facets of a cluster against the base rate, or the base rates themselves.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Against, Facet, Run } from "../api";
import { ARROW, count, counted, label, liftText, plural, range, roughPercent, type Direction } from "../model/format";
import { facetName, valueName } from "../model/names";
import { Icon } from "./icons";
import { useReading } from "./reading";

const WAY: Record<Against["mark"], Direction> = { over: "over", under: "under", similar: "same" };
const FIRST = 6;
/** beyond this ratio of its ends the interval of a lift says nothing */
const WIDEST = 4;

interface Line {
  value: string;
  share: number;
  title: string;
  base?: number;
  lift?: { text: string; way: Direction; title: string };
}

function Block({ facet, lines, withheld, whole }: { facet: string; lines: Line[]; withheld: number; whole: string }): JSX.Element {
  const { run } = useReading();
  const [all, setAll] = useState(false);
  // the scale of one facet is that of its longest bar: shares of languages and of lengths are not compared
  const most = Math.max(...lines.map((line) => Math.max(line.share, line.base ?? 0)));
  const reach = Math.min(1, most * 1.12) || 1;
  const shown = all || lines.length <= FIRST + 1 ? lines : lines.slice(0, FIRST);
  return (
    <div class="facet">
      <h4>
        {facetName(facet)}
        {withheld >= 0.005 && (
          <span class="number" title={`${label(run.counted)} of ${whole} whose value here is not shown, as too few share it or it could be found by subtraction: shares count what is shown, ranges and arrows allow for the rest having any value`}>
            {roughPercent(withheld)} withheld
          </span>
        )}
      </h4>
      <ul>
        {shown.map((line) => (
          <li key={line.value} class={`against ${line.lift?.way ?? "plain"}`}>
            <span class="value" dir="auto" title={valueName(facet, line.value)}>{valueName(facet, line.value)}</span>
            <span class="track" title={line.title} aria-hidden="true">
              <i style={{ width: `${(100 * line.share) / reach}%` }} />
              {line.base !== undefined && <u style={{ left: `${(100 * Math.min(line.base, reach)) / reach}%` }} />}
            </span>
            <span class="number share" title={line.title}>{roughPercent(line.share)}</span>
            {line.lift && (
              <span class={`number lift ${line.lift.way}`} title={line.lift.title}>
                <i aria-hidden="true">{ARROW[line.lift.way]}</i> {line.lift.text}
              </span>
            )}
          </li>
        ))}
      </ul>
      {shown.length < lines.length && (
        <button type="button" class="link small" onClick={() => setAll(true)}>
          {lines.length - shown.length} more
        </button>
      )}
    </div>
  );
}

function liftOf(cell: Against, withheld: number): Line["lift"] {
  const { lift, lift_low, lift_high, mark } = cell;
  const interval = `95 %: ${lift_low.toFixed(2)} to ${lift_high.toFixed(2)}`;
  if (mark === "similar" && lift_high > WIDEST * lift_low) {
    return { text: "?", way: "none", title: `May be anything of ${lift_low.toFixed(2)} to ${lift_high.toFixed(2)} times the base rate${withheld ? `: ${roughPercent(withheld)} withheld` : ""}` };
  }
  const way = WAY[mark];
  return { text: liftText(lift, way), way, title: `${lift.toFixed(2)} times the base rate (${interval})${mark === "similar" ? "; may be chance, or of what is withheld" : ""}` };
}

/** ``of`` is how many conversations the cluster holds. */
export function Breakdown({ facets, of, minimum }: { facets: readonly Facet[]; of: number; minimum: string }): JSX.Element {
  const { run } = useReading();
  const hidden = facets.reduce((sum, facet) => sum + facet.hidden, 0);
  return (
    <>
      {facets.filter((facet) => facet.cells.length && facet.kind !== "time").map(({ facet, cells, withheld }) => (
        <Block
          key={facet}
          facet={facet}
          withheld={of ? withheld / of : 0}
          whole="this cluster"
          lines={cells.map((cell) => ({
            value: cell.value,
            share: cell.share,
            base: cell.base,
            title: `${counted(cell.conversations, run)}, ${roughPercent(cell.share)} (95 %: ${range(cell.share_low, cell.share_high)}); base rate ${roughPercent(cell.base)}`,
            lift: liftOf(cell, of ? withheld / of : 0),
          }))}
        />
      ))}
      {hidden > 0 && (
        <p class="withheld">
          <Icon name="lock" size={13} />
          {plural(hidden, "facet value")} hidden: {minimum}
        </p>
      )}
    </>
  );
}

export function BaseRates({ run }: { run: Run }): JSX.Element {
  return (
    <>
      {run.facets.filter((facet) => facet.values.length && facet.kind !== "time").map(({ facet, values, withheld }) => (
        <Block
          key={facet}
          facet={facet}
          withheld={run.conversations ? withheld / run.conversations : 0}
          whole="all"
          lines={values.map((one) => ({ value: one.value, share: one.share, title: `${counted(one.conversations, run)} (95 %: ${range(one.share_low, one.share_high)})` }))}
        />
      ))}
    </>
  );
}

/** What the policy asks of a cell before it is shown. */
export function minimumOf(run: Run): string {
  const { min_cell_users, min_cell_conversations } = run.policy;
  const parts = [
    ...(typeof min_cell_users === "number" ? [`${count(min_cell_users)} accounts`] : []),
    ...(typeof min_cell_conversations === "number" ? [counted(min_cell_conversations, run)] : []),
  ];
  return parts.length ? `fewer than ${parts.join(" or ")}` : "too few, or none";
}
