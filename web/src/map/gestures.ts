// Pointer, wheel and keys into the few things a map can be asked for.

export interface Asked {
  pan(dx: number, dy: number): void;
  zoom(px: number, py: number, factor: number, gentle?: boolean): void;
  home(): void;
  point(px: number, py: number, touch: boolean): void;
  leave(): void;
  press(px: number, py: number, touch: boolean): void;
  /** the cluster nearest to the centre: point at it, select it */
  aim(): void;
  enter(): void;
  /** whether drags draw a line now */
  lassoing(): boolean;
  draw(px: number, py: number): void;
  drawn(): void;
  cancel(): boolean;
}

const STEP = 80;
const SLIP = 4;

export function listen(host: HTMLElement, asked: Asked, signal: AbortSignal) {
  const down = new Map<number, [number, number]>();
  let start: [number, number] | null = null;
  let moved = false;
  const at = (event: MouseEvent): [number, number] => {
    const box = host.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const on = <K extends keyof HTMLElementEventMap>(name: K, act: (event: HTMLElementEventMap[K]) => void) => host.addEventListener(name, act, { signal, passive: false });

  on("pointerdown", (event) => {
    if (event.button !== 0) return;
    host.setPointerCapture(event.pointerId);
    down.set(event.pointerId, at(event));
    if (down.size === 1) [start, moved] = [at(event), false];
    else if (asked.lassoing()) asked.cancel();
  });
  on("pointermove", (event) => {
    const now = at(event);
    const before = down.get(event.pointerId);
    if (!before) return asked.point(...now, event.pointerType === "touch");
    if (start && !moved && Math.hypot(now[0] - start[0], now[1] - start[1]) < SLIP) return;
    if (!moved && down.size === 1 && asked.lassoing() && start) asked.draw(...start);
    moved = true;
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    down.set(event.pointerId, now);
    if (other) {
      const apart = (p: [number, number]) => Math.max(8, Math.hypot(p[0] - other[0], p[1] - other[1]));
      // each finger moves the middle by half of its own way
      asked.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
      asked.zoom((now[0] + other[0]) / 2, (now[1] + other[1]) / 2, apart(now) / apart(before));
    } else if (asked.lassoing()) asked.draw(...now);
    else asked.pan(now[0] - before[0], now[1] - before[1]);
  });
  const up = (event: PointerEvent) => {
    if (!down.delete(event.pointerId) || down.size) return;
    if (event.type === "pointercancel") asked.cancel();
    else if (!moved) asked.press(...at(event), event.pointerType === "touch");
    else if (asked.lassoing()) asked.drawn();
    start = null;
  };
  on("pointerup", up);
  on("pointercancel", up);
  on("pointerleave", () => asked.leave());
  on("dblclick", (event) => asked.zoom(...at(event), event.shiftKey ? 0.5 : 2, true));
  on("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const turn = Math.max(-240, Math.min(240, event.deltaY * lines));
    asked.zoom(...at(event), Math.exp(-turn * (event.ctrlKey ? 0.01 : 0.0022)));
  });
  on("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target !== host) return;
    const middle: [number, number] = [host.clientWidth / 2, host.clientHeight / 2];
    const keys: Record<string, () => void> = {
      ArrowLeft: () => asked.pan(STEP, 0),
      ArrowRight: () => asked.pan(-STEP, 0),
      ArrowUp: () => asked.pan(0, STEP),
      ArrowDown: () => asked.pan(0, -STEP),
      "+": () => asked.zoom(...middle, 1.5, true),
      "=": () => asked.zoom(...middle, 1.5, true),
      "-": () => asked.zoom(...middle, 1 / 1.5, true),
      "0": asked.home,
      Enter: asked.enter,
    };
    const act = event.key === "Escape" ? (asked.cancel() ? () => {} : undefined) : keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
    // shows what Enter would open
    if (event.key !== "Escape" && event.key !== "Enter") asked.aim();
  });
}
