// A window onto a long list: only what is in sight is in the page. Heights are guessed first and measured once seen.

import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

export interface Item {
  index: number;
  top: number;
}

/** The tops of all items, and the total last. */
export function tops(count: number, heightOf: (index: number) => number): Float64Array {
  const out = new Float64Array(count + 1);
  for (let i = 0; i < count; i++) out[i + 1] = out[i] + heightOf(i);
  return out;
}

/** First and one past the last item in sight, with some more on both ends. */
export function inSight(edges: Float64Array, scroll: number, height: number, more: number): [number, number] {
  const count = edges.length - 1;
  const at = (y: number) => {
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (edges[middle] <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  return [Math.max(0, at(scroll) - more), Math.min(count, at(scroll + height) + 1 + more)];
}

export interface Windowed {
  items: Item[];
  total: number;
  /** of the element that scrolls */
  frame: (element: HTMLElement | null) => void;
  /** of each item's element */
  measure: (key: string) => (element: HTMLElement | null) => void;
  reveal: (index: number) => void;
}

/** ``pinned`` stays in the page wherever it is: the item that holds the focus must not vanish. */
export function useWindow(count: number, keyOf: (index: number) => string, guess: (index: number) => number, pinned = -1, inset = 0): Windowed {
  const element = useRef<HTMLElement | null>(null);
  const known = useRef(new Map<string, number>());
  const seen = useRef(new Map<string, HTMLElement>());
  const [view, setView] = useState({ scroll: 0, height: 800, width: 0 });
  const [version, setVersion] = useState(0);
  const edges = useMemo(() => tops(count, (i) => known.current.get(keyOf(i)) ?? guess(i)), [count, keyOf, guess, version]);

  const [watched, setWatched] = useState<HTMLElement | null>(null);
  const frame = useCallback((to: HTMLElement | null) => {
    element.current = to;
    setWatched(to);
  }, []);
  useEffect(() => {
    if (!watched) return;
    const look = () => setView((old) => (old.scroll === watched.scrollTop && old.height === watched.clientHeight && old.width === watched.clientWidth ? old : { scroll: watched.scrollTop, height: watched.clientHeight || 800, width: watched.clientWidth }));
    look();
    const observer = new ResizeObserver(look);
    observer.observe(watched);
    watched.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      watched.removeEventListener("scroll", look);
    };
  }, [watched]);
  useLayoutEffect(() => {
    known.current.clear();
    setVersion((n) => n + 1);
  }, [view.width]);
  useLayoutEffect(() => {
    let changed = false;
    for (const [key, item] of seen.current) {
      const height = item.offsetHeight;
      if (height && known.current.get(key) !== height) {
        known.current.set(key, height);
        changed = true;
      }
    }
    if (changed) setVersion((n) => n + 1);
  });

  const refs = useRef(new Map<string, (element: HTMLElement | null) => void>());
  const measure = useCallback((key: string) => {
    let ref = refs.current.get(key);
    if (!ref) {
      ref = (item) => void (item ? seen.current.set(key, item) : seen.current.delete(key));
      refs.current.set(key, ref);
    }
    return ref;
  }, []);
  const latest = useRef(edges);
  latest.current = edges;
  const reveal = useCallback((index: number) => {
    const box = element.current;
    const at = latest.current;
    if (!box || index < 0 || index >= at.length - 1) return;
    if (at[index] < box.scrollTop) box.scrollTop = Math.max(0, at[index] - 8);
    else if (at[index + 1] + inset > box.scrollTop + box.clientHeight) box.scrollTop = at[index + 1] + inset - box.clientHeight + 8;
  }, [inset]);

  const [from, to] = inSight(edges, view.scroll, view.height, 8);
  const items: Item[] = [];
  if (pinned >= 0 && pinned < from && pinned < count) items.push({ index: pinned, top: edges[pinned] });
  for (let index = from; index < to; index++) items.push({ index, top: edges[index] });
  if (pinned >= to && pinned < count) items.push({ index: pinned, top: edges[pinned] });
  return { items, total: edges[count], frame, measure, reveal };
}
