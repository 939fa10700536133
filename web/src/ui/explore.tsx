// The first screen: tree, map and one cluster in full, each showing what the others do.

import type { JSX } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ClusterMap, type MapHandle } from "../map";
import { changeColour, concernColour, hue, liftColour, sizeColour } from "../model/colour";
import { path } from "../model/hierarchy";
import { overlayKey } from "../model/filter";
import type { Overlay } from "../api";
import { DetailPanel } from "./detail";
import { Filters } from "./filters";
import { Icon } from "./icons";
import { Legend } from "./legend";
import { mapHandle } from "./map-handle";
import { Marked } from "./marked";
import { useOverlays } from "./overlays";
import { useReading, type Part, type Reading } from "./reading";
import { Tabs } from "./tabs";
import { TimeStrip } from "./time-strip";
import { TreeView } from "./tree-view";
import { ColourBy } from "./colour-by";

export function ExploreScreen(): JSX.Element {
  const { selected, part, showPart } = useReading();
  const [hovered, setHovered] = useState<number | null>(null);
  const before = useRef(selected);
  useEffect(() => {
    // on a narrow page a choice leads to what was chosen
    if (selected !== null && selected !== before.current) showPart("detail");
    before.current = selected;
  }, [selected]);
  const shows = (one: Part) => part === null || part === one;
  // a narrow page shows one part at a time, and that is its content; a wide one has the others beside the map
  const [Whole, Beside, Middle] = part === null ? (["div", "aside", "main"] as const) : (["main", "section", "section"] as const);
  const content = { id: "main", tabIndex: -1 };
  return (
    <Whole class="explore" {...(part === null ? {} : content)}>
      <Beside class="left" aria-label="Clusters">
        <Tabs />
        {part !== "detail" && <Filters />}
        {shows("tree") && <TreeView hovered={hovered} onHover={setHovered} />}
      </Beside>
      {shows("map") && (
        <Middle class="centre" aria-label="Map of clusters" {...(part === null ? content : {})}>
          <MapArea hovered={hovered} onHover={setHovered} />
          <TimeStrip />
        </Middle>
      )}
      {shows("detail") && (
        <Beside class="right" aria-label="Cluster">
          <DetailPanel onHover={setHovered} />
        </Beside>
      )}
    </Whole>
  );
}

function MapArea({ hovered, onHover }: { hovered: number | null; onHover: (cluster: number | null) => void }): JSX.Element {
  const reading = useReading();
  const { run, tree, shown, selected, select, marked, mark, place, go, theme } = reading;
  const [tool, setTool] = useState<"pan" | "lasso">("pan");
  const { colour } = place;
  const overlays = useOverlays(run.id, colour.by === "lift" ? [[colour.facet, colour.value]] : []);
  const overlay = colour.by === "lift" ? overlays.get(overlayKey(colour.facet, colour.value)) : undefined;
  const colours = useColours(reading, overlay);
  const [handle, setHandle] = useState<MapHandle | null>(null);
  const hold = useCallback((one: MapHandle) => setHandle(one), []);
  useEffect(() => {
    mapHandle.current = handle;
    return () => {
      mapHandle.current = null;
    };
  }, [handle]);
  const onMark = useCallback((clusters: number[]) => mark(clusters), [mark]);
  return (
    <div class="map-area">
      <ClusterMap
        clusters={tree.columns}
        shown={shown}
        colour={colours}
        selected={selected}
        hovered={hovered}
        marked={marked}
        view={place.view}
        onView={(view) => go({ view }, "replace")}
        tool={tool}
        onSelect={select}
        onHover={onHover}
        onMark={onMark}
        theme={theme}
        handle={hold}
      />
      <Breadcrumb />
      <div class="float tools" role="toolbar" aria-label="Map tools">
        <ColourBy />
        <button type="button" class="icon-button" aria-pressed={tool === "pan"} aria-label="Move the map" title="Move the map" onClick={() => setTool("pan")}>
          <Icon name="pan" />
        </button>
        <button type="button" class="icon-button" aria-pressed={tool === "lasso"} aria-label="Lasso: mark clusters" title="Lasso: mark whole clusters" onClick={() => setTool("lasso")}>
          <Icon name="lasso" />
        </button>
      </div>
      <Legend overlay={overlay} />
      <Marked />
    </div>
  );
}

export function Breadcrumb(): JSX.Element {
  const { run, tree, selected, select } = useReading();
  const steps = selected === null ? [] : path(tree, selected);
  return (
    <nav class="float crumbs" aria-label="Where the cluster stands">
      <ol>
        <li>{steps.length ? <button type="button" class="link" onClick={() => select(null)}>All {run.counted}</button> : <b aria-current="page">All {run.counted}</b>}</li>
        {steps.map((step, i) => (
          <li key={step}>
            <span class="quiet" aria-hidden="true">›</span>
            {i < steps.length - 1 ? (
              <button type="button" class="link" dir="auto" title={tree.columns.name[step]} onClick={() => select(step)}>{tree.columns.name[step]}</button>
            ) : (
              <b aria-current="page" dir="auto" title={tree.columns.name[step]}>{tree.columns.name[step]}</b>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}

function useColours({ tree, place: { colour }, theme, change }: Reading, overlay: Overlay | undefined): (string | null)[] {
  const { columns, size } = tree;
  return useMemo(() => {
    const all = (of: (place: number) => string | null) => Array.from({ length: size }, (_, place) => of(place));
    const maybe = (value: number | null | undefined, of: (value: number) => string) => (value === null || value === undefined ? null : of(value));
    if (colour.by === "concern") return all((place) => maybe(columns.concern[place], (value) => concernColour(value, theme)));
    if (colour.by === "lift") return all((place) => maybe(overlay?.lift[place], (value) => liftColour(value, theme)));
    if (colour.by === "growth") {
      const most = mostChange(change?.diff ?? []);
      return all((place) => maybe(change?.diff[place], (value) => changeColour(value, most, theme)));
    }
    if (colour.by === "size") {
      const [least, most] = sizes(columns.conversations);
      return all((place) => sizeColour(columns.conversations[place], least, most, theme));
    }
    return all((place) => hue(tree.theme[place], theme));
  }, [tree, colour.by, overlay, theme, change]);
}

export function mostChange(diff: readonly (number | null)[]): number {
  // one outlier must not leave all others grey
  const sizes = diff.flatMap((value) => (value === null ? [] : [Math.abs(value)])).sort((a, b) => a - b);
  return sizes[Math.floor(0.95 * (sizes.length - 1))] ?? 0;
}

export const sizes = (conversations: readonly number[]): [number, number] =>
  conversations.reduce<[number, number]>(([least, most], n) => [Math.min(least, n), Math.max(most, n)], [Number.POSITIVE_INFINITY, 0]);
