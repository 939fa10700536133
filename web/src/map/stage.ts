// The map behind the component: layers, frames on demand, and what pointer and keys do. No frame is drawn without a change.

import { between, bounded, type Camera, fitting, HOME, scaleOf, toMap, toScreen, type View, zoomedAt } from "./camera";
import { listen } from "./gestures";
import { haloReach, haloStrength, paintHalo, SIDE } from "./halo";
import { type Hit, hitGrid, nearest } from "./hit";
import type { MapHandle, MapProps } from "./index";
import { type Box, type Label, labelAt, layout, visible } from "./labels";
import { caught } from "./lasso";
import { frameMini, fromMini, paintMini } from "./mini";
import { paintOverlay, type Picture } from "./overlay";
import { canvas, Mode, palette, rgb } from "./palette";
import type { Points } from "./points";
import { canvasPoints } from "./points-canvas";
import { webglPoints } from "./points-webgl";
import { type Scene, sceneOf } from "./scene";
import { svgOf } from "./svg";
import { cached } from "./text";

export interface Stage extends MapHandle {
  update(props: MapProps): void;
  zoom(factor: number): void;
  home(): void;
  /** centre on a pixel of the small map */
  jump(px: number, py: number): void;
}

export interface Mini {
  canvas: HTMLCanvasElement;
  box: HTMLElement;
}

const FLIGHT = 520;
const GENTLE = 170;
/** room kept beside, above and below all discs at zoom 1, in pixels: names stand there */
const [BESIDE, ABOVE] = [30, 54];

const same = (a: View, b: View): boolean => a.x === b.x && a.y === b.y && a.z === b.z;
/** Within what an address may round away. */
const alike = (a: View, b: View): boolean => Math.abs(a.z / b.z - 1) < 0.01 && Math.hypot(a.x - b.x, a.y - b.y) * a.z < 0.02;

export function stageOn(host: HTMLElement, mini: Mini, first: MapProps, signal: AbortSignal): Stage {
  let props = first;
  let scene: Scene = sceneOf(first.clusters);
  let hit: Hit = hitGrid(scene);
  let colours = palette(host, first.theme);
  let view = first.view;
  let told: { view: View; time: number }[] = [{ view: first.view, time: 0 }];
  let labels: Label[] = [];
  let boxes: Box[] = [];
  let laid: { scale: number; x: number; y: number } | null = null;
  let before: ReadonlySet<number> = new Set();
  let line: [number, number][] | null = null;
  let flight: { from: View; to: View; start: number; time: number } | null = null;
  let queued = 0;
  let frames = 0;
  let layoutMs = 0;
  let stale = { load: true, ground: true, discs: true };
  let modes = new Uint8Array();
  const size = { width: Math.max(1, host.clientWidth), height: Math.max(1, host.clientHeight), dpr: 0 };

  const halo = canvas(SIDE, SIDE, "map-halo");
  const haloPen = halo.getContext("2d");
  const over = canvas(1, 1, "map-layer");
  const pen = over.getContext("2d");
  const ruler = canvas(1, 1).getContext("2d");
  const measure = cached((text, font) => {
    if (!ruler) return text.length * 7;
    ruler.font = font;
    return ruler.measureText(text).width;
  });
  const plainPoints = () => canvasPoints(canvas(1, 1, "map-layer"));
  const glCanvas = canvas(1, 1, "map-layer");
  const glPoints = () => webglPoints(glCanvas);
  let points: Points | null = glPoints() ?? plainPoints();
  host.append(halo, ...(points ? [points.canvas] : []), over);

  const swap = (next: Points | null) => {
    if (!next) return;
    if (points) points.canvas.replaceWith(next.canvas);
    points = next;
    size.dpr = 0;
    stale = { load: true, ground: true, discs: true };
    ask();
  };
  glCanvas.addEventListener("webglcontextlost", (event) => { event.preventDefault(); swap(plainPoints()); }, { signal });
  glCanvas.addEventListener("webglcontextrestored", () => swap(glPoints()), { signal });

  const camera = (): Camera => ({
    view,
    width: size.width,
    height: size.height,
    unit: Math.max(40, Math.min((size.width / 2 - BESIDE) / scene.reach[0], (size.height / 2 - ABOVE) / scene.reach[1])),
  });
  /** the zoom at which a middling disc is a large bubble */
  const most = () => {
    const middle = scene.leaves.length ? scene.radius[scene.leaves[scene.leaves.length >> 1]] : 0.1;
    return Math.min(400, Math.max(6, 110 / (middle * camera().unit)));
  };
  const ask = () => {
    queued ||= requestAnimationFrame(frame);
  };
  const move = (next: View) => {
    view = bounded(next, most());
    ask();
  };
  const fly = (to: View, time: number) => {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return move(to);
    flight = { from: view, to: bounded(to, most()), start: performance.now(), time };
    ask();
  };

  function frame(now: number) {
    queued = 0;
    if (flight) {
      const t = Math.min(1, Math.max(0, (now - flight.start) / flight.time));
      view = t === 1 ? flight.to : between(flight.from, flight.to, t * t * (3 - 2 * t));
      if (t === 1) flight = null;
      else ask();
    }
    resize();
    freshen(stale.discs ? "discs" : "ground");
    if (stale.ground) ask();
    draw();
    frames++;
    if (!same(view, told[0].view)) {
      told = [{ view, time: now }, ...told.slice(0, 15)];
      props.onView(view);
    }
  }

  /** Discs before the ground, a frame later: a thousand soft spots must not keep a new colour waiting. */
  function freshen(upTo: "discs" | "ground") {
    if (stale.load) points?.load(scene);
    if (stale.discs) restyle();
    if (stale.ground && upTo === "ground") repaintGround();
    stale = { load: false, discs: false, ground: stale.ground && upTo === "discs" };
  }

  function resize() {
    const dpr = devicePixelRatio || 1;
    const [width, height] = [Math.max(1, host.clientWidth), Math.max(1, host.clientHeight)];
    if (width === size.width && height === size.height && dpr === size.dpr) return;
    Object.assign(size, { width, height, dpr });
    for (const layer of [over, points?.canvas]) if (layer) [layer.width, layer.height] = [Math.round(width * dpr), Math.round(height * dpr)];
    laid = null;
  }

  function restyle() {
    const { colour, shown, marked, selected } = props;
    const fill = new Uint8Array(scene.leaves.length * 4);
    modes = new Uint8Array(scene.leaves.length);
    const chosen = new Set(selected === null ? [] : scene.under[selected]);
    const drawn = new Set([...marked].flatMap((cluster) => scene.under[cluster] ?? []));
    // few colours for many discs
    const known = new Map<string, readonly number[]>();
    scene.leaves.forEach((leaf, k) => {
      const own = colour[leaf];
      const name = own ?? colours.quiet;
      let parts = known.get(name);
      if (!parts) known.set(name, (parts = rgb(name)));
      for (let i = 0; i < 3; i++) fill[4 * k + i] = parts[i];
      fill[4 * k + 3] = 255;
      modes[k] = (shown[leaf] ? 0 : Mode.Faint) | (drawn.has(leaf) ? Mode.Marked : 0) | (own === null ? Mode.Hidden : 0) | (chosen.has(leaf) ? Mode.Strong : 0);
    });
    points?.style(fill, modes);
    laid = null;
  }

  function repaintGround() {
    if (haloPen) paintHalo(haloPen, scene, props.shown, props.colour, colours.quiet);
    paintMini(mini.canvas, scene, props.shown, props.colour, colours);
  }

  function arrange() {
    const now = camera();
    const scale = scaleOf(now);
    const margin = Math.min(320, Math.round(size.width / 2));
    const near = laid && laid.scale === scale && Math.max(Math.abs(laid.x - view.x), Math.abs(laid.y - view.y)) * scale < margin / 2;
    if (near) return;
    const own = host.getBoundingClientRect();
    boxes = [...(host.parentElement?.parentElement?.querySelectorAll(".float") ?? [])].map((panel): Box => {
      const { left, top, right, bottom } = panel.getBoundingClientRect();
      return [left - own.left - 4, top - own.top - 4, right - own.left + 4, bottom - own.top + 4];
    });
    const began = performance.now();
    labels = layout(scene, now, { family: colours.family, measure, before, selected: props.selected, shown: props.shown, margin, boxes });
    layoutMs = performance.now() - began;
    before = new Set(labels.map((label) => label.cluster));
    laid = { scale, x: view.x, y: view.y };
  }

  const picture = (): Picture => {
    const now = camera();
    return { scene, camera: now, colours, labels: visible(labels, now, boxes), colour: props.colour, selected: props.selected, hovered: props.hovered };
  };
  const haloPlace = (): [number, number, number] => {
    const reach = haloReach(scene);
    return [...toScreen(camera(), -reach, -reach), (2 * reach * scaleOf(camera())) / SIDE];
  };

  function draw() {
    arrange();
    points?.draw(camera(), size.dpr, colours);
    const [x, y, scale] = haloPlace();
    halo.style.opacity = haloStrength(colours.dark, view.z).toFixed(3);
    halo.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    if (pen) {
      pen.setTransform(size.dpr, 0, 0, size.dpr, 0, 0);
      pen.clearRect(0, 0, size.width, size.height);
      paintOverlay(pen, picture(), measure, line);
    }
    frameMini(mini.box, scene, camera());
  }

  const at = (px: number, py: number, touch: boolean): number | null => {
    const label = labelAt(picture().labels, camera(), px, py);
    return label ? label.cluster : hit(...toMap(camera(), px, py), (touch ? 14 : 4) / scaleOf(camera()));
  };
  const point = (cluster: number | null) => {
    if (cluster !== props.hovered) props.onHover(cluster);
  };

  listen(
    host,
    {
      pan(dx, dy) {
        flight = null;
        const scale = scaleOf(camera());
        move({ ...view, x: view.x - dx / scale, y: view.y - dy / scale });
      },
      zoom(px, py, factor, gentle) {
        const from = gentle && flight ? { ...camera(), view: flight.to } : camera();
        const to = zoomedAt(from, px, py, factor, most());
        if (gentle) return fly(to, GENTLE);
        flight = null;
        move(to);
      },
      home: () => fly(HOME, FLIGHT),
      point(px, py, touch) {
        if (touch) return;
        const found = at(px, py, false);
        host.classList.toggle("map-pointing", found !== null);
        point(found);
      },
      leave: () => point(null),
      press: (px, py, touch) => props.onSelect(at(px, py, touch)),
      aim: () => point(nearest(scene, props.shown, (flight?.to ?? view).x, (flight?.to ?? view).y)),
      enter: () => props.onSelect(nearest(scene, props.shown, view.x, view.y)),
      lassoing: () => props.tool === "lasso",
      draw(px, py) {
        (line ??= []).push(toMap(camera(), px, py));
        ask();
      },
      drawn() {
        if (line) props.onMark(caught(scene, props.shown, line));
        line = null;
        ask();
      },
      cancel() {
        const drawing = line !== null;
        line = null;
        ask();
        return drawing;
      },
    },
    signal,
  );

  const watcher = new ResizeObserver(ask);
  watcher.observe(host);
  const repaint = () => {
    if (signal.aborted) return;
    colours = palette(host, props.theme);
    stale.ground = stale.discs = true;
    ask();
  };
  matchMedia("(forced-colors: active)").addEventListener("change", repaint, { signal });
  addEventListener("resize", ask, { signal });
  document.fonts?.ready.then(repaint);
  signal.addEventListener("abort", () => {
    watcher.disconnect();
    cancelAnimationFrame(queued);
    // browsers keep few contexts: this one is given back now, not when it is collected
    if (points?.kind === "webgl2") glCanvas.getContext("webgl2")?.getExtension("WEBGL_lose_context")?.loseContext();
    host.replaceChildren();
  });
  Object.assign(window, {
    __map: {
      visibleLabels: () => picture().labels.map((label) => scene.columns.name[label.cluster]),
      place: (cluster: number) => toScreen(camera(), scene.columns.x[cluster], scene.columns.y[cluster]),
      get renderer() { return points?.kind ?? "canvas2d"; },
      frames: () => frames,
      layoutMs: () => layoutMs,
    },
  });
  ask();

  return {
    update(next) {
      const last = props;
      props = next;
      if (next.clusters !== last.clusters) {
        scene = sceneOf(next.clusters);
        hit = hitGrid(scene);
        before = new Set();
        stale = { load: true, ground: true, discs: true };
      }
      if (next.theme !== last.theme) colours = palette(host, next.theme);
      if (next.shown !== last.shown || next.colour !== last.colour || next.theme !== last.theme) stale.ground = stale.discs = true;
      if (next.marked !== last.marked || next.selected !== last.selected) stale.discs = true;
      // what was told comes back as a property, in order, perhaps some frames late: only another view moves the map
      if (next.view !== last.view) {
        const echo = told.findIndex((one, i) => alike(one.view, next.view) && (i === 0 || performance.now() - one.time < 1000));
        if (echo >= 0) told.length = echo + 1;
        else {
          flight = null;
          view = bounded(next.view, most());
          told = [{ view, time: 0 }];
        }
      }
      ask();
    },
    zoom(factor) {
      const from = flight ? { ...camera(), view: flight.to } : camera();
      fly(zoomedAt(from, size.width / 2, size.height / 2, factor, most()), GENTLE);
    },
    home: () => fly(HOME, FLIGHT),
    jump(px, py) {
      const [x, y] = fromMini(scene, px, py);
      flight = null;
      move({ ...view, x, y });
    },
    flyTo(cluster, to) {
      const { x, y } = scene.columns;
      const leaf = scene.under[cluster][0] === cluster;
      const around = leaf ? Math.max(3 * scene.radius[cluster], scene.radius[Math.max(scene.parent[cluster], 0)]) : scene.radius[cluster];
      const near = fitting(camera(), x[cluster], y[cluster], around, most());
      // a base cluster that is large enough already is brought to the middle, without a change of scale
      fly(to ?? (leaf && view.z > near.z ? { ...near, z: view.z } : near), FLIGHT);
    },
    png() {
      resize();
      freshen("ground");
      draw();
      const made = canvas(over.width, over.height);
      const all = made.getContext("2d");
      if (all) {
        all.fillStyle = colours.ground;
        all.fillRect(0, 0, made.width, made.height);
        const [x, y, scale] = haloPlace();
        all.globalAlpha = haloStrength(colours.dark, view.z);
        if (colours.dark) all.globalCompositeOperation = "screen";
        all.drawImage(halo, x * size.dpr, y * size.dpr, SIDE * scale * size.dpr, SIDE * scale * size.dpr);
        all.globalAlpha = 1;
        all.globalCompositeOperation = "source-over";
        if (points) all.drawImage(points.canvas, 0, 0);
        all.drawImage(over, 0, 0);
      }
      return new Promise((done, fail) => made.toBlob((blob) => (blob ? done(blob) : fail(new Error("the picture could not be made")))));
    },
    svg() {
      arrange();
      return svgOf(picture(), props.shown, modes);
    },
  };
}
