// Lifts of facet values, asked for when first needed.

import { useEffect, useState } from "preact/hooks";
import { api, type Overlay } from "../api";
import { overlayKey } from "../model/filter";

export function useOverlays(run: string, wanted: readonly [string, string][]): ReadonlyMap<string, Overlay> {
  const [here, setHere] = useState<ReadonlyMap<string, Overlay>>(new Map());
  useEffect(() => {
    for (const [facet, value] of wanted) {
      const key = overlayKey(facet, value);
      if (here.has(key)) continue;
      // without its overlay nothing can be said to be over-represented: the filter then shows nothing, the colours are hidden
      api.overlay(run, facet, value).then((overlay) => setHere((old) => new Map(old).set(key, overlay)), () => undefined);
    }
  }, [run, wanted.map(([facet, value]) => overlayKey(facet, value)).join("\n\n")]);
  return here;
}
