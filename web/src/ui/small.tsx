// Small parts that stand in several places: swatch, difference, lift.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { hue } from "../model/colour";
import type { Change } from "../model/change";
import { ARROW, changeDirection, points, range, signed } from "../model/format";
import { sideName } from "../model/names";
import { useReading } from "./reading";

export function Swatch({ cluster, round = false }: { cluster: number; round?: boolean }): JSX.Element {
  const { tree, theme } = useReading();
  return <span class={round ? "swatch round" : "swatch"} style={{ background: hue(tree.theme[cluster], theme) }} aria-hidden="true" />;
}

/** "▲ 0.9": points of difference between A and B, with the rest of what can be said in its tooltip. */
export function Difference({ change, cluster }: { change: Change | null; cluster: number }): JSX.Element {
  if (!change) return <span class="difference" />;
  const diff = change.diff[cluster];
  const [a, b] = [sideName(change.comparison, "a"), sideName(change.comparison, "b")];
  if (diff === null) {
    const kind = change.kind[cluster];
    const only = kind === "only-a" || kind === "only-b";
    const text = only ? `not shown in ${kind === "only-a" ? b : a}: too few there, or withheld` : "too few to compare, or withheld";
    return <span class="difference none" title={text}>{kind === "only-a" ? "A only" : kind === "only-b" ? "B only" : "–"}<span class="hidden-text"> {text}</span></span>;
  }
  const clear = change.kind[cluster] === "rising" || change.kind[cluster] === "falling";
  const way = clear ? changeDirection(diff) : "same";
  return (
    <span class={`difference number ${way}`} title={`${signed(diff)} points, ${a} less ${b} (95 %: ${range(change.low[cluster], change.high[cluster])})${clear ? "" : "; may be chance"}`}>
      <i aria-hidden="true">{ARROW[way]}</i>
      <span class="hidden-text">{diff < 0 ? "down " : "up "}</span>
      {way === "same" && points(diff) !== "0.0" ? signed(diff) : points(diff)}
    </span>
  );
}

export function Section({ title, aside, children }: { title: string; aside?: JSX.Element | string; children: JSX.Element | (JSX.Element | null | false)[] }): JSX.Element {
  return (
    <section>
      <div class="section-head">
        <h3>{title}</h3>
        {aside && <span>{aside}</span>}
      </div>
      {children}
    </section>
  );
}

/** The width of an element, followed. */
export function useWidth(): [(element: HTMLElement | null) => void, number] {
  const [element, setElement] = useState<HTMLElement | null>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => observer.disconnect();
  }, [element]);
  return [setElement, width];
}
