// A text with the words that were searched for marked in it.

import type { JSX } from "preact";
import { spans } from "../model/hierarchy";

export function MarkedText({ text, query }: { text: string; query: string }): JSX.Element {
  const found = query ? spans(text, query) : [];
  if (!found.length) return <>{text}</>;
  const parts: (string | JSX.Element)[] = [];
  let done = 0;
  for (const [from, to] of found) {
    parts.push(text.slice(done, from), <mark>{text.slice(from, to)}</mark>);
    done = to;
  }
  parts.push(text.slice(done));
  return <>{parts}</>;
}
