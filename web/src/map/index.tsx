// The map of clusters: an interface for the page; the drawing is in `stage.ts`.

import type { JSX, TargetedPointerEvent } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import type { Clusters } from "../api";
import type { View } from "./camera";
import { HEIGHT, WIDTH } from "./mini";
import { type Stage, stageOn } from "./stage";
import "./map.css";

export type { View };
export interface MapHandle {
  flyTo(cluster: number, view?: View): void;
  png(): Promise<Blob>;
  svg(): string;
}
export interface MapProps {
  clusters: Clusters;
  /** 1 = passes the filters; others are drawn faint */
  shown: Uint8Array;
  /** CSS colour by cluster; null = hidden value, drawn hatched */
  colour: (string | null)[];
  selected: number | null;
  hovered: number | null;
  marked: ReadonlySet<number>;
  /** centre in map units (-1..1), zoom ≥ 1 */
  view: View;
  onView(view: View): void;
  tool: "pan" | "lasso";
  onSelect(cluster: number | null): void;
  onHover(cluster: number | null): void;
  onMark(clusters: number[]): void;
  theme: "light" | "dark";
  handle?: (handle: MapHandle) => void;
}

export function ClusterMap(props: MapProps): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const small = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const stage = useRef<Stage | null>(null);
  const keys = useId();

  useLayoutEffect(() => {
    if (!host.current || !small.current || !box.current) return;
    const end = new AbortController();
    const made = stageOn(host.current, { canvas: small.current, box: box.current }, props, end.signal);
    stage.current = made;
    props.handle?.(made);
    return () => end.abort();
  }, []);
  useLayoutEffect(() => stage.current?.update(props));

  const jump = (event: TargetedPointerEvent<HTMLDivElement>) => {
    if (event.type === "pointerdown") event.currentTarget.setPointerCapture(event.pointerId);
    if (event.buttons & 1) stage.current?.jump(event.offsetX, event.offsetY);
  };
  return (
    <div class="map" data-theme={props.theme}>
      <div ref={host} class={`map-stage map-${props.tool}`} role="application" aria-label="Map of clusters" aria-describedby={keys} tabIndex={0} />
      <p id={keys} class="map-keys">
        Arrow keys move the map, plus and minus zoom, 0 shows all of it, Enter selects the cluster nearest to the centre. The tree holds the same clusters.
      </p>
      <div class="map-zoom float" role="group" aria-label="Zoom">
        <button type="button" class="icon-button" aria-label="Zoom in" onClick={() => stage.current?.zoom(1.6)}>
          <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 8h10M8 3v10" /></svg>
        </button>
        <button type="button" class="icon-button" aria-label="Zoom out" onClick={() => stage.current?.zoom(1 / 1.6)}>
          <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 8h10" /></svg>
        </button>
        <button type="button" class="icon-button" aria-label="Show the whole map" onClick={() => stage.current?.home()}>
          <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3" /></svg>
        </button>
      </div>
      <div class="map-mini float" aria-hidden="true" onPointerDown={jump} onPointerMove={jump}>
        <canvas ref={small} width={WIDTH} height={HEIGHT} />
        <div ref={box} class="map-view" />
      </div>
    </div>
  );
}
