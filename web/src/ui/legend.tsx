// What the colours and sizes on the map mean.

import type { JSX } from "preact";
import type { Overlay } from "../api";
import { hue, HUES, RAMPS } from "../model/colour";
import { count, label } from "../model/format";
import { facetName, sideName, valueName } from "../model/names";
import { mostChange, sizes } from "./explore";
import { Icon } from "./icons";
import { useMedia } from "./preferences";
import { useReading } from "./reading";

export function Legend({ overlay }: { overlay: Overlay | undefined }): JSX.Element {
  const { run, place, tree, theme, change } = useReading();
  const { colour } = place;
  const wide = useMedia("(min-width: 1680px)");
  const { columns } = tree;
  let title: string;
  let body: JSX.Element;
  if (colour.by === "lift") {
    title = `${facetName(colour.facet)}: ${valueName(colour.facet, colour.value)}, against the base rate`;
    body = <Ramp stops={RAMPS[theme].diverging} ticks={["÷4", "÷2", "same", "×2", "×4"]} hidden={overlay?.lift.includes(null) ?? true} />;
  } else if (colour.by === "theme") {
    title = "Theme (level 1)";
    body = <Themes />;
  } else if (colour.by === "concern") {
    title = "Mean concern score";
    body = <Ramp stops={RAMPS[theme].sequential} ticks={["1 none", "2", "3", "4", "5 high"]} hidden={columns.concern.includes(null)} />;
  } else if (colour.by === "size") {
    const [least, most] = sizes(columns.conversations);
    title = label(run.counted);
    body = <Ramp stops={RAMPS[theme].sequential} ticks={[count(least), count(Math.round(Math.sqrt(least * most))), count(most)]} />;
  } else {
    const most = Number((100 * mostChange(change?.diff ?? [])).toPrecision(2));
    title = change ? `${sideName(change.comparison, "a")} less ${sideName(change.comparison, "b")}` : "Change";
    body = <Ramp stops={RAMPS[theme].diverging} ticks={[`−${most} pt`, "same", `+${most} pt`]} hidden={change?.diff.includes(null) ?? true} />;
  }
  return (
    <details class="float legend" open={wide}>
      <summary>
        <h2 dir="auto">{title}</h2>
        <Icon name="down" size={13} />
      </summary>
      {body}
      <p class="legend-size">
        <i />
        <i />
        <i />
        area: {run.counted}
      </p>
    </details>
  );
}

function Themes(): JSX.Element {
  const { tree, theme, select } = useReading();
  const own = tree.tops.slice(0, HUES.light.length);
  const rest = tree.tops.length - own.length;
  return (
    <ul class="legend-themes">
      {own.map((top, rank) => (
        <li key={top}>
          <button type="button" onClick={() => select(top)} title={tree.columns.name[top]}>
            <span class="swatch round" style={{ background: hue(rank, theme) }} />
            <span dir="auto">{tree.columns.name[top]}</span>
          </button>
        </li>
      ))}
      {rest > 0 && (
        <li class="legend-rest">
          <span class="swatch round" style={{ background: hue(HUES.light.length, theme) }} />
          {rest === 1 ? "1 smaller theme" : `${rest} smaller themes`}
        </li>
      )}
    </ul>
  );
}

function Ramp({ stops, ticks, hidden = false }: { stops: readonly string[]; ticks: string[]; hidden?: boolean }): JSX.Element {
  return (
    <>
      <div class="ramp" style={{ background: `linear-gradient(90deg, ${stops.join(", ")})` }} />
      <div class="ramp-ticks number">
        {ticks.map((tick) => (
          <span key={tick}>{tick}</span>
        ))}
      </div>
      {hidden && (
        <p class="legend-hidden">
          <span class="swatch round hatched" /> not shown: too few
        </p>
      )}
    </>
  );
}
