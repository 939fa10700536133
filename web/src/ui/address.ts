// The place and the address bar: one history entry a choice, none a movement of the map.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { recorded } from "../api";
import { decode, encode, type Place } from "../model/place";

// a file has no server that would know what a query means, so there the place stands behind the #
const read = () => decode(recorded ? location.hash : location.search);
const write = (place: Place) => (recorded ? `#${encode(place)}` : `${location.pathname}?${encode(place)}`);

export type Go = (change: Partial<Place>, how?: "push" | "replace") => void;

export function usePlace(): [Place, Go] {
  const [place, setPlace] = useState(read);
  const latest = useRef(place);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  useEffect(() => {
    const restore = () => {
      clearTimeout(timer.current);
      latest.current = read();
      setPlace(latest.current);
    };
    const events = recorded ? (["popstate", "hashchange"] as const) : (["popstate"] as const);
    for (const event of events) addEventListener(event, restore);
    return () => {
      for (const event of events) removeEventListener(event, restore);
    };
  }, []);

  const go = useCallback<Go>((change, how = "push") => {
    const before = encode(latest.current);
    latest.current = { ...latest.current, ...change };
    setPlace(latest.current);
    clearTimeout(timer.current);
    if (encode(latest.current) === before) return;
    if (how === "push") record("pushState", write(latest.current));
    else timer.current = setTimeout(() => record("replaceState", write(latest.current)), 250);
  }, []);
  return [place, go];
}

function record(how: "pushState" | "replaceState", address: string) {
  try {
    history[how](null, "", address);
  } catch {
    // a sandboxed frame may not change its address; the page works on without one
  }
}

/** The whole address of a place, to be copied. */
export function linkTo(place: Place, withQuery: boolean): string {
  const query = encode(place, withQuery);
  return `${location.href.split(/[?#]/)[0]}${recorded ? "#" : "?"}${query}`;
}
