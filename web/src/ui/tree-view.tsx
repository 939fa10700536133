// The tree of clusters: all that the map shows, for the keyboard and for the ear as well.

import type { JSX } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { hue } from "../model/colour";
import { count, counted, percent, plural } from "../model/format";
import { path, withAncestors } from "../model/hierarchy";
import { sideName } from "../model/names";
import { keyOf, move, rows, typeAhead, type Row } from "../model/tree";
import { Icon } from "./icons";
import { MarkedText } from "./marked-text";
import { useReading } from "./reading";
import { Difference } from "./small";
import { useWindow } from "./virtual";

interface Props {
  hovered: number | null;
  onHover: (cluster: number | null) => void;
}

export function TreeView({ hovered, onHover }: Props): JSX.Element {
  const { run, tree, place, change, shown, narrowed, selected, select, theme, marked } = useReading();
  const { columns } = tree;
  const [open, setOpen] = useState<ReadonlySet<number>>(() => new Set(tree.tops.length === 1 ? tree.tops : []));
  // what a search or a filter found is laid open, but for what is then closed by hand
  const [closed, setClosed] = useState<ReadonlySet<number>>(new Set());
  const [current, setCurrent] = useState<string | null>(null);
  const box = useRef<HTMLElement | null>(null);
  const typed = useRef({ text: "", until: 0 });

  const other = useMemo(() => new Map(columns.other.map((rest) => [rest.parent === null ? -1 : (tree.at.get(rest.parent) ?? -2), rest])), [tree]);
  const listed = useMemo(() => (narrowed ? withAncestors(tree, shown) : null), [tree, shown, narrowed]);
  const list = useMemo(() => rows(tree, { isOpen: (cluster) => (listed ? !closed.has(cluster) : open.has(cluster)), listed, nameless: new Set(other.keys()) }), [tree, open, closed, listed, other]);
  useEffect(() => setClosed(new Set()), [listed]);
  const key = useCallback((i: number) => keyOf(list[i]), [list]);
  const guess = useCallback((i: number) => (list[i].level === 1 ? 45 : 34), [list]);
  const found = current === null ? -1 : list.findIndex((row) => keyOf(row) === current);
  const at = found >= 0 ? found : Math.max(0, list.findIndex((row) => row.cluster === selected));
  const { items, total, frame, measure, reveal } = useWindow(list.length, key, guess, at);

  const hold = useCallback((element: HTMLElement | null) => {
    box.current = element;
    frame(element);
  }, [frame]);

  useEffect(() => {
    if (selected === null) return;
    setOpen((old) => new Set([...old, ...path(tree, selected).slice(0, -1)]));
    setCurrent(String(selected));
  }, [selected, tree]);
  // what was chosen elsewhere comes into sight once its row is there
  const latest = useRef(list);
  latest.current = list;
  useEffect(() => {
    if (selected !== null) requestAnimationFrame(() => reveal(latest.current.findIndex((row) => row.cluster === selected)));
  }, [selected, open, reveal]);

  const focus = (index: number) => {
    setCurrent(keyOf(list[index]));
    reveal(index);
    // the row may have to be drawn first
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>('[role="treeitem"][tabindex="0"]')?.focus());
  };
  const toggle = (cluster: number, to: boolean) => {
    const put = (present: boolean) => (old: ReadonlySet<number>) => {
      const next = new Set(old);
      if (present) next.add(cluster);
      else next.delete(cluster);
      return next;
    };
    if (listed) setClosed(put(!to));
    else setOpen(put(to));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const done = move(list, at, event.key);
    if (done) {
      if ("to" in done) focus(done.to);
      else if ("open" in done) toggle(done.open, true);
      else if ("close" in done) toggle(done.close, false);
      else if ("choose" in done) select(done.choose);
      else for (const cluster of done.openAll) toggle(cluster, true);
    } else if (event.key.length === 1 && event.key !== "/" && event.key !== "*" && event.key.trim()) {
      const now = Date.now();
      typed.current = { text: (now < typed.current.until ? typed.current.text : "") + event.key, until: now + 700 };
      const next = typeAhead(list, columns.name, at, typed.current.text);
      if (next !== null) focus(next);
    } else if (!["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) return;
    event.preventDefault();
  };

  const passed = useMemo(() => shown.reduce((sum, one) => sum + one, 0), [shown]);
  // a cluster under the pointer whose row is folded away is shown by the row that holds it
  const pointed = useMemo(() => {
    const present = new Set(list.map((row) => row.cluster));
    return hovered === null ? null : (path(tree, hovered).findLast((step) => present.has(step)) ?? null);
  }, [hovered, list, tree]);
  const most = columns.share[tree.tops[0]] || 1;
  const draw = (row: Row, index: number): JSX.Element => {
    if (!row.named) {
      const rest = other.get(row.parent);
      return (
        <div class={`row level-${Math.min(row.level, 4)} nameless`} title={rest && `${counted(rest.conversations, run)} that are counted, but too few or not cleared to be shown by name`}>
          <span />
          <span class="swatch hatched" aria-hidden="true" />
          <span class="name">not shown by name</span>
          <span class="share number">{rest && percent(rest.share)}</span>
          <span />
        </div>
      );
    }
    const { cluster } = row;
    const colour = hue(tree.theme[cluster], theme);
    return (
      <div
        class={`row level-${Math.min(row.level, 4)}${pointed === cluster ? " hovered" : ""}${marked.has(cluster) ? " marked" : ""}`}
        role="treeitem"
        id={`cluster-${cluster}`}
        aria-level={row.level}
        aria-setsize={row.size}
        aria-posinset={row.position}
        aria-expanded={row.open ?? undefined}
        aria-selected={selected === cluster}
        tabIndex={index === at ? 0 : -1}
        onFocus={() => setCurrent(keyOf(row))}
        onMouseEnter={() => onHover(cluster)}
        onClick={() => {
          select(cluster);
          if (row.open === false) toggle(cluster, true);
        }}
      >
        <span
          class="twist"
          aria-hidden="true"
          onClick={(event) => {
            if (row.open === null) return;
            event.stopPropagation();
            toggle(cluster, !row.open);
          }}
        >
          {row.open !== null && <Icon name={row.open ? "down" : "right"} size={13} />}
        </span>
        <span class={row.level === 1 ? "swatch" : "swatch round"} style={{ background: colour }} aria-hidden="true" />
        <span class="name" dir="auto">
          <MarkedText text={columns.name[cluster]} query={place.query} />
        </span>
        <span class="share number">{percent(columns.share[cluster])}</span>
        <Difference change={change} cluster={cluster} />
        {row.level === 1 && (
          <span class="bar" aria-hidden="true">
            <i style={{ width: `${(100 * columns.share[cluster]) / most}%`, background: colour }} />
          </span>
        )}
      </div>
    );
  };

  return (
    <>
      <div class="tree-head" aria-hidden="true">
        <span>{narrowed ? `${count(passed)} of ${plural(tree.size, "cluster")}` : "Cluster · sorted by share"}</span>
        <span>Share</span>
        <span title={change ? `${sideName(change.comparison, "a")} less ${sideName(change.comparison, "b")}, in points` : undefined}>{change ? "A − B" : ""}</span>
      </div>
      <div
        class="tree"
        role="tree"
        aria-label="Clusters, the largest first"
        id="tree"
        ref={hold}
        onKeyDown={onKeyDown}
        onMouseLeave={() => onHover(null)}
      >
        <div class="rows" role="none" style={{ height: `${total}px` }}>
          {items.map(({ index, top }) => (
            <div class="slot" role="none" key={key(index)} ref={measure(key(index))} style={{ transform: `translateY(${top}px)` }}>
              {draw(list[index], index)}
            </div>
          ))}
        </div>
        {!list.length && <p class="empty">No cluster passes. Loosen a filter or search for other words.</p>}
      </div>
    </>
  );
}
