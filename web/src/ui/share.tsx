// What can be taken away: a link, a picture, the tables.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { api, recorded, type Detail } from "../api";
import { csv, save } from "../model/csv";
import type { Hierarchy } from "../model/hierarchy";
import { linkTo } from "./address";
import { Icon } from "./icons";
import { mapHandle } from "./map-handle";
import { Popover } from "./popover";
import { useReading } from "./reading";

export function CopyLink(): JSX.Element {
  const { place, run, say } = useReading();
  const [withQuery, setWithQuery] = useState(false);
  const [copied, setCopied] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const link = linkTo({ ...place, run: run.id }, withQuery);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link);
    } catch {
      field.current?.select(); // not allowed to: then the reader copies what is selected
      return;
    }
    setCopied(true);
    say("Link copied");
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <Popover label={<><Icon name="link" /><span>{copied ? "Copied" : "Copy link"}</span></>} name="Copy link" className="button copy" align="end">
      {() => (
        <div class="form">
          <label class="field-label">
            Link to this view
            <input class="field wide" ref={field} readOnly value={link} onFocus={(event) => event.currentTarget.select()} />
          </label>
          <label class="check">
            <input type="checkbox" checked={withQuery} disabled={!place.query} onChange={(event) => setWithQuery(event.currentTarget.checked)} />
            Include the words searched for
          </label>
          <button type="button" class="button primary" onClick={() => void copy()}>
            <Icon name="link" />
            {copied ? "Copied" : "Copy"}
          </button>
        </div>
      )}
    </Popover>
  );
}

const COLUMNS = ["id", "parent", "level", "name", "description", "conversations", "users", "share", "audit", "x", "y", "share_low", "share_high", "concern", "growth", "growth_low", "growth_high", "growth_q"] as const;

/** The clusters' table, of all or of some. */
export function clustersCsv({ columns, size }: Hierarchy, chosen?: readonly number[]): string {
  const places = chosen ?? Array.from({ length: size }, (_, place) => place);
  return csv(COLUMNS, places.map((place) => COLUMNS.map((name) => columns[name][place])));
}

export function breakdownsCsv(details: readonly Detail[]): string {
  const names = ["value", "conversations", "share", "base", "lift", "share_low", "share_high", "lift_low", "lift_high", "q", "mark"] as const;
  return csv(
    ["cluster", "facet", ...names],
    details.flatMap(({ id, facets }) => facets.flatMap(({ facet, cells }) => cells.map((cell) => [id, facet, ...names.map((name) => cell[name])]))),
  );
}

export function Export(): JSX.Element {
  const { run, tree, place, say, part } = useReading();
  const name = run.id.replaceAll(/[^\w.-]+/g, "-");
  const failed = () => say("The export failed");
  const breakdowns = async () => save(breakdownsCsv(await Promise.all(tree.columns.id.map((id) => api.detail(run.id, id)))), `${name}-breakdowns.csv`);
  return (
    <Popover label="Export" className="button primary" align="end">
      {(close) => {
        const map = place.screen === "explore" && (part === null || part === "map") ? mapHandle.current : null;
        const local = (text: string, hint: string, make: () => void | Promise<void>) => (
          <button type="button" onClick={() => { Promise.resolve().then(make).catch(failed); close(); }}>
            {text}
            <small>{hint}</small>
          </button>
        );
        const server = (file: string, text: string, hint: string) => (
          <a href={api.file(run.id, file)} download={`${name}-${file}`} onClick={close}>
            {text}
            <small>{hint}</small>
          </a>
        );
        return (
          <div class="menu">
            {map && local("Map", "PNG picture", async () => save(await map.png(), `${name}-map.png`))}
            {map && local("Map", "SVG drawing", () => save(map.svg(), `${name}-map.svg`, "image/svg+xml"))}
            {recorded ? local("Clusters", "CSV", () => save(clustersCsv(tree), `${name}-clusters.csv`)) : server("clusters.csv", "Clusters", "CSV")}
            {recorded ? local("Breakdowns", "CSV", breakdowns) : server("breakdowns.csv", "Breakdowns", "CSV")}
            {!recorded && server("clusters.parquet", "Clusters", "Parquet")}
            {!recorded && server("breakdowns.parquet", "Breakdowns", "Parquet")}
            {!recorded && server("insights.html", "This explorer", "one HTML file")}
          </div>
        );
      }}
    </Popover>
  );
}
