// From map units to pixels and back. y grows downwards in both.

export interface View {
  x: number;
  y: number;
  z: number;
}

/** What the map is drawn into: size in CSS pixels, and pixels a map unit at zoom 1. */
export interface Frame {
  width: number;
  height: number;
  unit: number;
}

export interface Camera extends Frame {
  view: View;
}

export const HOME: View = { x: 0, y: 0, z: 1 };

export const scaleOf = (camera: Camera): number => camera.unit * camera.view.z;

export function toScreen(camera: Camera, x: number, y: number): [number, number] {
  const scale = scaleOf(camera);
  return [(x - camera.view.x) * scale + camera.width / 2, (y - camera.view.y) * scale + camera.height / 2];
}

export function toMap(camera: Camera, px: number, py: number): [number, number] {
  const scale = scaleOf(camera);
  return [(px - camera.width / 2) / scale + camera.view.x, (py - camera.height / 2) / scale + camera.view.y];
}

/** The view kept on the map and between zoom 1 and `most`. */
export function bounded(view: View, most: number): View {
  const within = (value: number, least: number, limit: number) => (Number.isFinite(value) ? Math.min(limit, Math.max(least, value)) : least);
  return { x: within(view.x, -1, 1), y: within(view.y, -1, 1), z: within(view.z, 1, most) };
}

/** Zoomed by a factor so that what stands at a pixel stays there. */
export function zoomedAt(camera: Camera, px: number, py: number, factor: number, most: number): View {
  const z = bounded({ ...camera.view, z: camera.view.z * factor }, most).z;
  const [x, y] = toMap(camera, px, py);
  const kept = camera.view.z / z;
  return bounded({ x: x - (x - camera.view.x) * kept, y: y - (y - camera.view.y) * kept, z }, most);
}

/** The view that shows a circle of the map over most of the frame. */
export function fitting(frame: Frame, x: number, y: number, radius: number, most: number): View {
  return bounded({ x, y, z: (Math.min(frame.width, frame.height) * 0.36) / (radius * frame.unit) }, most);
}

/** Between two views at t in 0..1: zoom by equal ratios, the centre so that the path on the screen is straight. */
export function between(from: View, to: View, t: number): View {
  const z = from.z * (to.z / from.z) ** t;
  const moved = Math.abs(to.z / from.z - 1) < 1e-3 ? t : (1 / from.z - 1 / z) / (1 / from.z - 1 / to.z);
  return { x: from.x + (to.x - from.x) * moved, y: from.y + (to.y - from.y) * moved, z };
}
