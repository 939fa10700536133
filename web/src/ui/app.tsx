// The page: loads a run, holds what all parts share, and shows the screen that the address names.

import type { JSX } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api, Missing, type Run } from "../api";
import { changeOf, growth, ownWindows } from "../model/change";
import { needed, passing } from "../model/filter";
import { plural } from "../model/format";
import { hierarchy, search } from "../model/hierarchy";
import { useOverlays } from "./overlays";
import { usePlace, type Go } from "./address";
import { ChangesScreen } from "./changes";
import { ClusterPage } from "./cluster-page";
import { ExploreScreen } from "./explore";
import { FirstRun, Trouble } from "./first-run";
import { Header } from "./header";
import { useLook, useMedia } from "./preferences";
import { ReadingProvider, useAnswer, type Part, type Reading } from "./reading";
import { RunPage } from "./run-page";
import { TableScreen } from "./table";
import { HOME, type Place } from "../model/place";
import { mapHandle } from "./map-handle";

export function App(): JSX.Element {
  const [place, go] = usePlace();
  const looks = useLook();
  const runs = useAnswer("runs", api.runs);
  if (runs.state === "asking") return <Waiting />;
  if (runs.state === "failed") return <Trouble />;
  if (!runs.value.length) return <FirstRun />;
  const run = place.run === null ? runs.value[0] : runs.value.find((one) => one.id === place.run);
  if (!run) return <Trouble title="There is no such run here" text="The link may be of another explorer." action={{ text: "Open what is here", do: () => go({ run: null, cluster: null, comparison: null }) }} />;
  return <Opened key={run.id} runs={runs.value} run={run} place={place} go={go} looks={looks} />;
}

const Waiting = () => <p class="waiting" role="status">Loading…</p>;

function Opened({ runs, run, place, go, looks }: { runs: Run[]; run: Run; place: Place; go: Go; looks: ReturnType<typeof useLook> }): JSX.Element {
  const columns = useAnswer(run.id, () => api.clusters(run.id));
  const here = columns.state === "here" ? columns.value : null;
  const tree = useMemo(() => (here ? hierarchy(here) : null), [here]);
  const [marked, setMarked] = useState<ReadonlySet<number>>(new Set());
  const [said, say] = useState("");
  const narrow = useMedia("(max-width: 900px)");
  const [part, showPart] = useState<Part>("map");

  const own = useMemo(() => (place.comparison === null ? null : ownWindows(place.comparison, run)), [place.comparison, run]);
  const wanted = place.comparison !== null && place.comparison !== run.growth ? place.comparison : null;
  const compared = useAnswer(wanted, () => (own ? api.compare(run.id, own.facet, own.a, own.b) : api.comparison(run.id, wanted ?? "")));
  const settled = useMemo(() => {
    if (!here) return null;
    if (wanted === null || compared.state === "failed") return growth(run, here);
    return compared.state === "here" ? changeOf(compared.value) : null;
  }, [here, run, wanted, compared]);
  // until another comparison is there the last one stays, and with it the focus on what chose it
  const last = useRef(settled);
  if (settled) last.current = settled;
  const change = last.current;

  const overlays = useOverlays(run.id, needed(place.filters));
  const passes = useMemo(() => tree && passing(tree, place.filters, overlays, change), [tree, place.filters, overlays, change]);
  const found = useMemo(() => tree && search(tree, place.query), [tree, place.query]);
  const shown = useMemo(() => passes && (found ? passes.map((one, i) => one & found[i]) : passes), [passes, found]);
  const narrowed = place.filters.length > 0 || found !== null;
  useEffect(() => {
    if (shown && narrowed) say(`${plural(shown.reduce((sum, one) => sum + one, 0), "cluster")} of ${shown.length} shown`);
    else say("");
  }, [shown, narrowed]);
  useEffect(() => {
    document.title = `${run.title} – Insights Explorer`;
  }, [run]);

  const aside = narrow && (place.screen === "table" || place.screen === "changes");
  const select = useCallback(
    (cluster: number | null) => {
      const map = mapHandle.current;
      const change: Partial<Place> = { cluster: cluster === null ? null : (tree?.columns.id[cluster] ?? null) };
      // without a map to fly, the next one begins with all of it
      if (!map) change.view = HOME.view;
      // a narrow page has no room for a cluster beside a list
      if (aside) {
        change.screen = "explore";
        showPart("detail");
      }
      go(change);
      // what is chosen comes first: a flight takes every frame where there is no GPU
      if (cluster !== null && map) setTimeout(() => mapHandle.current?.flyTo(cluster), LEAD);
    },
    [go, tree, aside],
  );
  const mark = useCallback((clusters: Iterable<number>) => setMarked(new Set(clusters)), []);
  if (columns.state === "failed") return columns.error instanceof Missing ? <FirstRun /> : <Trouble />;
  if (!tree || !shown) return <Waiting />;
  const selected = place.cluster === null ? null : (tree.at.get(place.cluster) ?? null);
  const reading: Reading = {
    runs, run, tree, place, go, theme: looks.theme, look: looks.look, chooseLook: looks.choose,
    change, shown, narrowed, selected, select, marked, mark, say, part: narrow ? part : null, showPart,
  };
  return (
    <ReadingProvider value={reading}>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.querySelector<HTMLElement>("#main")?.focus(); }}>Skip to the content</a>
      <Header />
      <Screen reading={reading} />
      <p class="hidden-text" role="status" aria-live="polite">{said}</p>
    </ReadingProvider>
  );
}

/** milliseconds that a chosen cluster's detail has before the map sets off */
const LEAD = 80;

function Screen({ reading: { place, tree, selected, go } }: { reading: Reading }): JSX.Element {
  if (place.screen === "run") return <RunPage />;
  if (!tree.size) return <FirstRun open={() => go({ screen: "run" })} />;
  if (place.screen === "cluster" && selected !== null) return <ClusterPage cluster={selected} />;
  if (place.screen === "table") return <TableScreen />;
  if (place.screen === "changes") return <ChangesScreen />;
  return <ExploreScreen />;
}
