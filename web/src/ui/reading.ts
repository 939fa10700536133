// What every part of the page shares: the run that is read, where the reader is, and what is marked.

import { createContext } from "preact";
import { useContext, useLayoutEffect, useState } from "preact/hooks";
import type { Run } from "../api";
import type { Theme } from "../model/colour";
import type { Change } from "../model/change";
import type { Hierarchy } from "../model/hierarchy";
import type { Place } from "../model/place";
import type { Go } from "./address";
import type { Look } from "./preferences";

export type Part = "map" | "tree" | "detail";

export interface Reading {
  runs: readonly Run[];
  run: Run;
  tree: Hierarchy;
  place: Place;
  go: Go;
  theme: Theme;
  look: Look;
  chooseLook: (look: Look) => void;
  /** of the chosen comparison, null until it is there */
  change: Change | null;
  /** 1 for what passes filters and search */
  shown: Uint8Array;
  narrowed: boolean;
  selected: number | null;
  select: (cluster: number | null) => void;
  marked: ReadonlySet<number>;
  mark: (clusters: Iterable<number>) => void;
  say: (text: string) => void;
  /** which part of the first screen a narrow page shows; null: it is wide and shows all */
  part: Part | null;
  showPart: (part: Part) => void;
}

const Shared = createContext<Reading | null>(null);
export const ReadingProvider = Shared.Provider;

export function useReading(): Reading {
  const reading = useContext(Shared);
  if (!reading) throw new Error("outside of a run");
  return reading;
}

export type Asked<T> = { state: "asking" } | { state: "here"; value: T } | { state: "failed"; error: Error };

/** An answer by key; null asks nothing. What was asked before and comes late is dropped. */
export function useAnswer<T>(key: string | null, ask: () => Promise<T>): Asked<T> {
  const [answer, setAnswer] = useState<{ key: string | null; asked: Asked<T> }>({ key: null, asked: { state: "asking" } });
  // asked before the page is painted: the answer is on its way meanwhile
  useLayoutEffect(() => {
    if (key === null) return;
    let wanted = true;
    ask().then(
      (value) => wanted && setAnswer({ key, asked: { state: "here", value } }),
      (error: unknown) => wanted && setAnswer({ key, asked: { state: "failed", error: error instanceof Error ? error : new Error(String(error)) } }),
    );
    return () => {
      wanted = false;
    };
  }, [key]);
  return answer.key === key ? answer.asked : { state: "asking" };
}
