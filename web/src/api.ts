// The only way to data: the server, or the answers that stand in the single file.

import type { components } from "./api-types";

type Schemas = components["schemas"];
export type Run = Schemas["Run"];
export type Clusters = Schemas["Clusters"];
export type Detail = Schemas["Detail"];
export type Facet = Schemas["Facet"];
export type Against = Schemas["Against"];
export type Overlay = Schemas["Overlay"];
export type Compared = Schemas["Compared"];
export type Offered = Schemas["Offered"];
export type FacetValues = Schemas["FacetValues"];

const holder = document.getElementById("recorded");

/** Whether this is the single file, which has no server. */
export const recorded = holder !== null;

let answers: Promise<Record<string, unknown>> | null = null;
const asked = new Map<string, Promise<unknown>>();

async function unpack(base64: string): Promise<Record<string, unknown>> {
  const bytes = Uint8Array.from(atob(base64.trim()), (letter) => letter.charCodeAt(0));
  const text = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  return (JSON.parse(text) as { answers: Record<string, unknown> }).answers;
}

export class Missing extends Error {}

async function fetched(path: string): Promise<unknown> {
  if (holder) {
    answers ??= unpack(holder.textContent ?? "");
    const all = await answers;
    if (!(path in all)) throw new Missing(path);
    return all[path];
  }
  const answer = await fetch(`./api/v1/${path}`);
  if (answer.status === 404) throw new Missing(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

/** One document by its path below ``api/v1/``; each is asked for once. */
function ask<T>(path: string): Promise<T> {
  let answer = asked.get(path);
  if (!answer) {
    answer = fetched(path);
    asked.set(path, answer);
    answer.catch(() => asked.delete(path)); // a server that was away may come back
  }
  return answer as Promise<T>;
}

const part = encodeURIComponent;
const at = (run: string) => `runs/${part(run)}`;

export const api = {
  runs: () => ask<Run[]>("runs"),
  clusters: (run: string) => ask<Clusters>(`${at(run)}/clusters`),
  detail: (run: string, cluster: string) => ask<Detail>(`${at(run)}/clusters/${part(cluster)}`),
  overlay: (run: string, facet: string, value: string) => ask<Overlay>(`${at(run)}/overlay?facet=${part(facet)}&value=${part(value)}`),
  comparison: (run: string, id: string) => ask<Compared>(`${at(run)}/comparisons/${part(id)}`),
  /** any two sets of values of one facet; the server only */
  compare: (run: string, facet: string, a: readonly string[], b: readonly string[]) =>
    ask<Compared>(`${at(run)}/compare?facet=${part(facet)}${a.map((value) => `&a=${part(value)}`).join("")}${b.map((value) => `&b=${part(value)}`).join("")}`),
  file: (run: string, name: string) => `./api/v1/${at(run)}/export/${name}`,
};
