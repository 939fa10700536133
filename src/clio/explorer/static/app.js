// The first explorer page: tree, map and detail of one run. All texts go in as text nodes, never as markup.

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const percent = (share) => `${(100 * share).toFixed(1)} %`;
// 95 % interval of a share in a run over a sample; empty where there is none
const interval = (low, high) => (low == null ? "" : `${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)} %`);
const withInterval = (share, low, high) => (low == null ? percent(share) : `${percent(share)} (${interval(low, high)})`);
const count = (n) => n.toLocaleString("en");

function element(tag, attributes = {}, ...children) {
  const made = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "paint") for (const [key, to] of Object.entries(value)) made.style.setProperty(key, to);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const state = { runs: [], run: null, clusters: new Map(), tops: [], other: new Map(), chosen: null, open: new Set(), query: "", view: null };

async function get(path) {
  const answer = await fetch(`api/v1/${path}`);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function load(id) {
  const run = state.runs.find((one) => one.id === id) ?? state.runs[0];
  const data = await get(`runs/${encodeURIComponent(run.id)}/clusters`);
  const columns = data.clusters;
  const clusters = new Map();
  columns.id.forEach((key, i) => {
    const cluster = { children: [] };
    for (const name of Object.keys(columns)) cluster[name] = columns[name][i];
    clusters.set(key, cluster);
  });
  const tops = [];
  for (const cluster of clusters.values()) (clusters.get(cluster.parent)?.children ?? tops).push(cluster);
  const bySize = (a, b) => b.conversations - a.conversations || (a.id < b.id ? -1 : 1);
  tops.sort(bySize);
  for (const cluster of clusters.values()) cluster.children.sort(bySize);
  tops.forEach((top, i) => paint(top, i < 8 ? i : 8));
  Object.assign(state, { run, clusters, tops, base: data.base, other: new Map(data.other.map((o) => [o.parent, o])), chosen: null, open: new Set(), view: null });
  $("runs").value = run.id;
}

function paint(cluster, colour) {
  cluster.colour = `var(--c${colour})`;
  for (const child of cluster.children) paint(child, colour);
}

const pathOf = (cluster) => (cluster ? [...pathOf(state.clusters.get(cluster.parent)), cluster] : []);
const leaves = (cluster) => (cluster.children.length ? cluster.children.flatMap(leaves) : [cluster]);

// ---- tree

// the tree is too narrow for intervals: they stand in the detail, and here under the pointer
const hint = (of) => (of.share_low == null ? {} : { title: interval(of.share_low, of.share_high) });

function drawTree() {
  const query = state.query.toLowerCase();
  const matches = (c) => !query || c.name.toLowerCase().includes(query) || c.description.toLowerCase().includes(query);
  const visible = (c) => matches(c) || c.children.some(visible);
  const most = state.tops[0]?.share ?? 1;
  let found = 0;
  const item = (cluster, level, size, place) => {
    if (matches(cluster)) found += 1;
    const open = cluster.children.length > 0 && (state.open.has(cluster.id) || (query && cluster.children.some(visible)));
    const row = element("div", { class: "row", onclick: () => { toggle(cluster, !state.open.has(cluster.id) || state.chosen !== cluster); choose(cluster); } },
      element("span", { class: "twist", "aria-hidden": "true" }, cluster.children.length ? (open ? "▾" : "▸") : ""),
      element("span", { class: "dot", paint: { background: cluster.colour } }),
      element("span", { class: "label", dir: "auto" }, cluster.name),
      element("span", { class: "share", ...hint(cluster) }, percent(cluster.share)));
    if (level === 1) row.append(element("span", { class: "meter", paint: { background: cluster.colour, width: `${(100 * cluster.share) / most}%` } }));
    const node = element("li", { role: "treeitem", "aria-level": level, "aria-setsize": size, "aria-posinset": place, "aria-selected": state.chosen === cluster, tabindex: -1, "data-id": cluster.id, ...(level === 1 ? { class: "top" } : {}), ...(cluster.children.length ? { "aria-expanded": Boolean(open) } : {}) }, row);
    if (open) node.append(element("ul", { role: "group" }, ...rows(cluster.children, cluster.id, level + 1)));
    return node;
  };
  const rows = (clusters, parent, level) => {
    const kept = clusters.filter(visible);
    const made = kept.map((cluster, i) => item(cluster, level, kept.length, i + 1));
    const hidden = state.other.get(parent);
    if (hidden && !query) {
      made.push(element("li", { role: "none" }, element("div", { class: "row hidden-row", title: "Counted, but too small or not cleared to be shown by name" },
        element("span"), element("span", { class: "dot hatched" }), element("span", { class: "label" }, "not shown"), element("span", { class: "share", ...hint(hidden) }, percent(hidden.conversations / state.run.conversations)))));
    }
    return made;
  };
  const focused = document.activeElement?.dataset?.id;
  $("tree").replaceChildren(...rows(state.tops, null, 1));
  const current = $("tree").querySelector(`[data-id="${CSS.escape(focused ?? state.chosen?.id ?? "")}"]`) ?? $("tree").querySelector("[role=treeitem]");
  if (current) current.tabIndex = 0;
  if (focused && current) current.focus();
  $("found").textContent = query ? `${found} clusters match` : "";
}

function toggle(cluster, open) {
  if (open) state.open.add(cluster.id);
  else state.open.delete(cluster.id);
}

$("tree").addEventListener("keydown", (event) => {
  const items = [...$("tree").querySelectorAll("[role=treeitem]")];
  const at = items.indexOf(document.activeElement);
  if (at < 0) return;
  const cluster = state.clusters.get(items[at].dataset.id);
  const go = (i) => { items[at].tabIndex = -1; const next = items[Math.max(0, Math.min(items.length - 1, i))]; next.tabIndex = 0; next.focus(); };
  const keys = {
    ArrowDown: () => go(at + 1), ArrowUp: () => go(at - 1), Home: () => go(0), End: () => go(items.length - 1),
    ArrowRight: () => { if (!cluster.children.length) return; if (state.open.has(cluster.id)) go(at + 1); else { toggle(cluster, true); drawTree(); } },
    ArrowLeft: () => { if (state.open.has(cluster.id)) { toggle(cluster, false); drawTree(); } else if (cluster.parent) go(items.findIndex((i) => i.dataset.id === cluster.parent)); },
    Enter: () => choose(cluster), " ": () => choose(cluster),
  };
  if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
});

// ---- map

function drawMap() {
  const map = $("map");
  const base = state.tops.flatMap(leaves);
  // the layout packs circles whose radius is the square root of their conversations; find that unit again from the closest pair
  const closest = nearestPairs(base);
  const unit = Math.min(...closest) || 0.01;
  const radius = (c) => unit * Math.sqrt(c.conversations);
  const box = state.view ?? fitted(base, radius);
  state.view = box;
  map.setAttribute("viewBox", `${box.x} ${box.y} ${box.w} ${box.h}`);
  const under = state.chosen ? new Set(leaves(state.chosen)) : null;
  const scale = box.w / map.clientWidth || 0.002;
  const drawn = [];
  for (const top of state.tops) {
    const own = leaves(top);
    const reach = Math.max(...own.map((c) => Math.hypot(c.x - top.x, c.y - top.y) + radius(c)));
    drawn.push(element("svg:circle", { class: "halo", cx: top.x, cy: top.y, r: reach * 1.04, paint: { fill: top.colour }, onclick: () => choose(top) }));
  }
  for (const cluster of base) {
    const circle = element("svg:circle", { cx: cluster.x, cy: cluster.y, r: radius(cluster), class: under && !under.has(cluster) ? "dim" : state.chosen === cluster ? "chosen" : "", paint: { fill: cluster.colour }, onclick: () => choose(cluster) });
    circle.append(element("svg:title", {}, `${cluster.name} · ${withInterval(cluster.share, cluster.share_low, cluster.share_high)}`));
    drawn.push(circle);
  }
  map.replaceChildren(...drawn, ...labels(scale));
}

function nearestPairs(base) {
  return base.map((a) => base.reduce((best, b) => (a === b ? best : Math.min(best, Math.hypot(a.x - b.x, a.y - b.y) / (Math.sqrt(a.conversations) + Math.sqrt(b.conversations)))), Infinity)).filter((d) => d > 0 && d < Infinity).concat([0.02]);
}

function fitted(base, radius) {
  const edge = (sign, axis) => sign * Math.max(...base.map((c) => sign * c[axis] + radius(c)), -1e9);
  if (!base.length) return { x: -1, y: -1, w: 2, h: 2 };
  const [x0, x1, y0, y1] = [edge(-1, "x"), edge(1, "x"), edge(-1, "y"), edge(1, "y")];
  const pad = 0.08 * Math.max(x1 - x0, y1 - y0);
  return { x: x0 - pad, y: y0 - pad, w: x1 - x0 + 2 * pad, h: y1 - y0 + 2 * pad };
}

function labels(scale) {
  const taken = [];
  const made = [];
  const place = (cluster, size, kind) => {
    const lines = wrapped(cluster.name, 22);
    const h = size * 1.2 * lines.length * scale, w = Math.max(...lines.map((l) => [...l].reduce((n, c) => n + (c > "\u2e7f" ? 1 : 0.56), 0))) * size * scale;
    const mine = { x: cluster.x - w / 2, y: cluster.y - h / 2, w, h };
    if (taken.some((o) => mine.x < o.x + o.w && o.x < mine.x + mine.w && mine.y < o.y + o.h && o.y < mine.y + mine.h)) return;
    taken.push(mine);
    const text = element("svg:text", { class: kind, "font-size": size * scale, "stroke-width": 3.5 * scale });
    lines.forEach((line, i) => text.append(element("svg:tspan", { x: cluster.x, y: cluster.y - h / 2 + (i + 0.85) * size * 1.2 * scale }, line)));
    made.push(text);
  };
  if (state.chosen?.children.length) state.chosen.children.forEach((c) => place(c, 11.5, "leaf"));
  else if (state.chosen) place(state.chosen, 13, "");
  state.tops.forEach((top) => place(top, 14, ""));
  if (!state.chosen) state.tops.flatMap((t) => t.children).sort((a, b) => b.conversations - a.conversations).forEach((c) => place(c, 11, "leaf"));
  return made;
}

function wrapped(name, most) {
  const lines = [""];
  for (const word of name.split(" ")) {
    if (lines.at(-1) && (lines.at(-1) + " " + word).length > most) lines.push(word);
    else lines[lines.length - 1] = (lines.at(-1) + " " + word).trim();
  }
  return lines.length > 3 ? [...lines.slice(0, 2), `${lines[2]}…`] : lines;
}

function zoom(factor, cx, cy) {
  const v = state.view;
  const [x, y] = [cx ?? v.x + v.w / 2, cy ?? v.y + v.h / 2];
  state.view = { x: x - (x - v.x) * factor, y: y - (y - v.y) * factor, w: v.w * factor, h: v.h * factor };
  drawMap();
}

function where(event) {
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform($("map").getScreenCTM().inverse());
  return [point.x, point.y];
}

$("map").addEventListener("wheel", (event) => { event.preventDefault(); zoom(event.deltaY > 0 ? 1.15 : 1 / 1.15, ...where(event)); }, { passive: false });
let drag = null;
$("map").addEventListener("pointerdown", (event) => { drag = { at: where(event), moved: false }; });
window.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const [x, y] = where(event);
  if (!drag.moved && Math.hypot(x - drag.at[0], y - drag.at[1]) < 0.01 * state.view.w) return;
  drag.moved = true;
  state.view = { ...state.view, x: state.view.x - (x - drag.at[0]), y: state.view.y - (y - drag.at[1]) };
  drawMap();
});
window.addEventListener("pointerup", () => { drag = null; });
$("in").addEventListener("click", () => zoom(1 / 1.3));
$("out").addEventListener("click", () => zoom(1.3));
$("fit").addEventListener("click", () => { state.view = null; drawMap(); });

// ---- detail

function bars(cells) {
  const facets = new Map();
  const rates = new Map(state.base.map((cell) => [`${cell.facet}\n${cell.value}`, cell]));
  for (const cell of cells) facets.set(cell.facet, [...(facets.get(cell.facet) ?? []), cell]);
  return [...facets].flatMap(([facet, own]) => [
    element("h3", {}, facet[0].toUpperCase() + facet.slice(1).replaceAll("_", " ")),
    ...own.slice(0, 8).map((cell) => {
      const kind = cell.lift >= 1.2 ? "over" : cell.lift <= 0.83 ? "under" : "";
      const sign = kind === "over" ? "▲" : kind === "under" ? "▼" : "≈";
      const base = rates.get(`${cell.facet}\n${cell.value}`);
      const ends = interval(cell.share_low, cell.share_high);
      return element("div", { class: "cell", ...(ends ? { paint: { "grid-template-columns": "92px 1fr 76px 52px" } } : {}) },
        element("span", { class: "name", title: cell.value, dir: "auto" }, cell.value),
        element("span", { class: "track" }, element("span", { class: "fill", paint: { width: percent(Math.min(1, cell.share)).replace(" ", ""), display: "block" } }),
          element("span", { class: "tick", title: `base rate ${withInterval(cell.base, base?.share_low, base?.share_high)}`, paint: { left: percent(Math.min(1, cell.base)).replace(" ", "") } })),
        element("span", { class: "number" }, percent(cell.share), ...(ends ? [element("span", { class: "quiet", paint: { display: "block", "font-size": "11px", "white-space": "nowrap" } }, ends)] : [])),
        state.chosen ? element("span", { class: `lift ${kind}` }, `${sign} ×${cell.lift.toFixed(1)}`) : element("span"));
    }),
    ...(own.length > 8 ? [element("p", { class: "quiet" }, `and ${own.length - 8} more`)] : []),
  ]);
}

async function drawDetail() {
  const { chosen, run } = state;
  if (!chosen) {
    const caveats = run.about.caveats ?? [];
    const policy = run.about.policy ?? {};
    $("right").replaceChildren(
      element("h2", {}, "All conversations"),
      element("p", { class: "quiet" }, "Choose a cluster in the tree or on the map. Shares below are the base rates that clusters are held against."),
      ...bars(state.base),
      element("p", { class: "note" }, `Shown only with at least ${policy.min_users} users and ${policy.min_conversations} conversations behind it (policy “${policy.name}”).`),
      ...caveats.map((text) => element("p", { class: "quiet" }, text)));
    return;
  }
  const detail = await get(`runs/${encodeURIComponent(run.id)}/clusters/${encodeURIComponent(chosen.id)}`);
  if (state.chosen !== chosen) return;
  const number = (label, value, below) => element("div", {}, element("span", { class: "quiet" }, label), element("b", {}, value), element("span", { class: "quiet" }, below));
  const kids = detail.children.map((id) => state.clusters.get(id));
  $("right").replaceChildren(
    element("p", { class: "quiet" }, `Level ${chosen.level} · ${chosen.id}${kids.length ? ` · ${kids.length} clusters inside` : ""}`),
    element("h2", { dir: "auto" }, chosen.name),
    element("p", { dir: "auto" }, chosen.description),
    element("div", { class: "numbers" }, number("Conversations", count(chosen.conversations), ""), number("Share of all", percent(chosen.share), interval(chosen.share_low, chosen.share_high)), number("Users", chosen.users, "band")),
    ...(kids.length ? [element("h3", {}, "Inside"), ...kids.map((kid) => element("button", { class: "child", onclick: () => choose(kid) }, element("span", { dir: "auto" }, kid.name), element("span", { class: "share" }, withInterval(kid.share, kid.share_low, kid.share_high))))] : []),
    ...(detail.other ? [element("p", { class: "quiet" }, `${count(detail.other)} more are counted here but not shown by name.`)] : []),
    element("h3", {}, "Compared with the base rate"),
    element("p", { class: "quiet" }, "Bar: share in this cluster. Tick: share of all conversations."),
    ...bars(detail.breakdown),
    element("p", { class: "note" }, `Audit ${chosen.audit} of 5. Name and description were checked for identifiers and for support by many users. No conversation text is stored in this view.`));
}

function drawPath() {
  const steps = pathOf(state.chosen);
  $("path").replaceChildren(element("button", { onclick: () => choose(null) }, "All conversations"), ...steps.map((step) => element("button", { onclick: () => choose(step), dir: "auto" }, step.name)));
}

function drawFacts() {
  const { run } = state;
  const withheld = Object.entries(run.withheld).map(([reason, n]) => `${count(n)} ${reason}`).join(", ");
  $("facts").replaceChildren(element("b", {}, `${count(run.conversations)} conversations`), element("span", {}, `${withInterval(run.coverage, run.coverage_low, run.coverage_high)} stand under a name`),
    ...(run.sample ? [element("span", {}, `sample of ${count(run.sample.conversations)} of ${count(run.sample.population)}${run.sample.by ? `, stratified by ${run.sample.by}` : ""}; ranges at 95 %`)] : []),
    element("span", { class: "quiet" }, withheld ? `Withheld: ${withheld}` : "Nothing is withheld"));
}

function choose(cluster, push = true) {
  state.chosen = cluster;
  for (const step of pathOf(cluster).slice(0, -1)) state.open.add(step.id);
  if (push) history.pushState(null, "", `#${new URLSearchParams({ run: state.run.id, ...(cluster ? { c: cluster.id } : {}) })}`);
  drawTree(); drawMap(); drawPath(); drawDetail();
}

async function restore() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  if (!state.run || (wanted.get("run") && wanted.get("run") !== state.run.id)) await load(wanted.get("run"));
  drawFacts();
  choose(state.clusters.get(wanted.get("c")) ?? null, false);
}

async function start() {
  state.runs = await get("runs");
  if (!state.runs.length) { $("right").replaceChildren(element("p", {}, "No run to show. Make one with: clio run LOGS")); return; }
  $("runs").replaceChildren(...state.runs.map((run) => element("option", { value: run.id }, run.id)));
  $("runs").addEventListener("change", async () => { await load($("runs").value); drawFacts(); choose(null); });
  $("search").addEventListener("input", (event) => { state.query = event.target.value.trim(); drawTree(); });
  window.addEventListener("popstate", restore);
  window.addEventListener("resize", drawMap);
  await restore();
}

start().catch(() => { $("right").replaceChildren(element("p", {}, "The explorer's server does not answer. Start it again with: clio explore")); });
