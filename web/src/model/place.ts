// Where the reader is: everything that a copied link must bring back, and its one codec.

export interface View {
  x: number;
  y: number;
  z: number;
}

export type Screen = "explore" | "table" | "changes" | "cluster" | "run";
export type Colour = { by: "theme" | "size" | "growth" | "concern" } | { by: "lift"; facet: string; value: string };
export type Filter =
  | { kind: "facet"; facet: string; values: string[] }
  | { kind: "concern" | "audit" | "size"; least: number }
  | { kind: "level"; level: number }
  | { kind: "growth"; direction: "up" | "down" };
export type SortKey = "share" | "size" | "growth" | "concern" | "audit" | "level" | "name" | "lift";
export interface Sort {
  by: SortKey;
  down: boolean;
}

export interface Place {
  run: string | null;
  screen: Screen;
  cluster: string | null;
  colour: Colour;
  view: View;
  filters: Filter[];
  comparison: string | null;
  sort: Sort;
  /** the facet value whose lift the table shows */
  lift: { facet: string; value: string } | null;
  query: string;
}

export const HOME: Place = {
  run: null,
  screen: "explore",
  cluster: null,
  colour: { by: "theme" },
  view: { x: 0, y: 0, z: 1 },
  filters: [],
  comparison: null,
  sort: { by: "share", down: true },
  lift: null,
  query: "",
};

const SCREENS: readonly Screen[] = ["explore", "table", "changes", "cluster", "run"];
const COLOURS = ["theme", "size", "growth", "concern"] as const;
const SORTS: readonly SortKey[] = ["share", "size", "growth", "concern", "audit", "level", "name", "lift"];

const join = (...parts: (string | number)[]) => parts.map((part) => encodeURIComponent(String(part))).join(":");

function split(text: string): string[] {
  try {
    return text.split(":").map(decodeURIComponent);
  } catch {
    return []; // a broken escape is an unknown value
  }
}

/** A place as the query of an address; what is as at home is left out, and the words of a search unless asked for. */
export function encode(place: Place, withQuery = false): string {
  const out = new URLSearchParams();
  if (place.run !== null) out.set("run", place.run);
  if (place.screen !== HOME.screen) out.set("view", place.screen);
  if (place.cluster !== null) out.set("c", place.cluster);
  const { colour, view, sort, lift } = place;
  if (colour.by !== "theme") out.set("color", encodeColour(colour));
  for (const key of ["x", "y", "z"] as const) if (round(view[key]) !== HOME.view[key]) out.set(key, String(round(view[key])));
  for (const filter of place.filters) out.append("f", encodeFilter(filter));
  if (place.comparison !== null) out.set("cmp", place.comparison);
  if (sort.by !== HOME.sort.by || sort.down !== HOME.sort.down) out.set("sort", join(sort.by, sort.down ? "down" : "up"));
  if (lift) out.set("lift", join(lift.facet, lift.value));
  if (withQuery && place.query) out.set("q", place.query);
  return out.toString();
}

/** The place that a query names; unknown keys and values that make no sense are left at home. */
export function decode(query: string): Place {
  const given = new URLSearchParams(query.replace(/^[?#]/, ""));
  const number = (key: "x" | "y" | "z", low: number, high: number) => {
    const value = Number.parseFloat(given.get(key) ?? "");
    return value >= low && value <= high ? round(value) : HOME.view[key];
  };
  return {
    run: given.get("run"),
    screen: SCREENS.find((one) => one === given.get("view")) ?? HOME.screen,
    cluster: given.get("c"),
    colour: decodeColour(given.get("color") ?? ""),
    view: { x: number("x", -4, 4), y: number("y", -4, 4), z: number("z", 1, 1000) },
    filters: given.getAll("f").flatMap(decodeFilter),
    comparison: given.get("cmp"),
    sort: decodeSort(given.get("sort") ?? ""),
    lift: decodeLift(given.get("lift") ?? ""),
    query: given.get("q") ?? "",
  };
}

export const encodeColour = (colour: Colour): string => (colour.by === "lift" ? join("lift", colour.facet, colour.value) : colour.by);

export function decodeColour(text: string): Colour {
  const [by, facet, value] = split(text);
  if (by === "lift" && facet !== undefined && value !== undefined) return { by, facet, value };
  const plain = COLOURS.find((one) => one === by);
  return plain ? { by: plain } : HOME.colour;
}

function decodeSort(text: string): Sort {
  const [key, way] = split(text);
  const by = SORTS.find((one) => one === key);
  return by ? { by, down: way !== "up" } : HOME.sort;
}

function decodeLift(text: string): Place["lift"] {
  const [facet, value] = split(text);
  return facet !== undefined && value !== undefined ? { facet, value } : null;
}

function encodeFilter(filter: Filter): string {
  if (filter.kind === "facet") return join(filter.kind, filter.facet, ...filter.values);
  if (filter.kind === "level") return join(filter.kind, filter.level);
  if (filter.kind === "growth") return join(filter.kind, filter.direction);
  return join(filter.kind, filter.least);
}

function decodeFilter(text: string): Filter[] {
  const [kind, first, ...values] = split(text);
  const number = Number(first);
  if (kind === "facet" && first !== undefined && values.length) return [{ kind, facet: first, values }];
  if (kind === "growth" && (first === "up" || first === "down")) return [{ kind, direction: first }];
  if (kind === "level" && Number.isInteger(number) && number > 0) return [{ kind, level: number }];
  if ((kind === "concern" || kind === "audit" || kind === "size") && first && number >= 0 && Number.isFinite(number)) return [{ kind, least: number }];
  return [];
}

const round = (value: number) => Number(value.toFixed(4)) + 0;
