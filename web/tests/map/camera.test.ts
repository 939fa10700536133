import fc from "fast-check";
import { expect, test } from "vitest";
import { between, bounded, type Camera, fitting, toMap, toScreen, zoomedAt } from "../../src/map/camera";

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const view = fc.record({ x: number(-1, 1), y: number(-1, 1), z: number(1, 300) });
const camera: fc.Arbitrary<Camera> = fc.record({ view, width: number(100, 4000), height: number(100, 3000), unit: number(40, 1500) });

test("a place on the map goes to the screen and back unchanged", () => {
  fc.assert(
    fc.property(camera, number(-1, 1), number(-1, 1), (now, x, y) => {
      const [bx, by] = toMap(now, ...toScreen(now, x, y));
      expect(bx).toBeCloseTo(x, 9);
      expect(by).toBeCloseTo(y, 9);
    }),
  );
});

test("zooming keeps what stands under the pointer where it is, unless the map's edge is met", () => {
  fc.assert(
    fc.property(camera, number(0, 1), number(0, 1), number(0.2, 5), (now, px, py, factor) => {
      const at: [number, number] = [px * now.width, py * now.height];
      const [x, y] = toMap(now, ...at);
      const next = zoomedAt(now, ...at, factor, 300);
      fc.pre(Math.abs(next.x) < 1 && Math.abs(next.y) < 1);
      const [sx, sy] = toScreen({ ...now, view: next }, x, y);
      expect(sx).toBeCloseTo(at[0], 4);
      expect(sy).toBeCloseTo(at[1], 4);
    }),
  );
});

test("a flight starts and ends where it should and never leaves the range of its zooms", () => {
  fc.assert(
    fc.property(view, view, number(0, 1), (from, to, t) => {
      const [first, last, now] = [between(from, to, 0), between(from, to, 1), between(from, to, t)];
      for (const key of ["x", "y", "z"] as const) {
        expect(first[key]).toBeCloseTo(from[key], 6);
        expect(last[key]).toBeCloseTo(to[key], 6);
        expect(now[key]).toBeGreaterThanOrEqual(Math.min(from[key], to[key]) - 1e-6);
        expect(now[key]).toBeLessThanOrEqual(Math.max(from[key], to[key]) + 1e-6);
      }
    }),
  );
});

test("a view from a strange link is brought onto the map", () => {
  expect(bounded({ x: Number.NaN, y: 9, z: 0 }, 50)).toEqual({ x: -1, y: 1, z: 1 });
  expect(bounded({ x: 0, y: 0, z: Infinity }, 50).z).toBe(1);
});

test("a fitted circle lies wholly in the frame", () => {
  const frame = { width: 800, height: 600, unit: 300 };
  const fitted = { ...frame, view: fitting(frame, 0.4, -0.2, 0.1, 300) };
  const [left, top] = toScreen(fitted, 0.3, -0.3);
  const [right, bottom] = toScreen(fitted, 0.5, -0.1);
  expect(Math.min(left, top, 800 - right, 600 - bottom)).toBeGreaterThan(0);
  expect(bottom - top).toBeGreaterThan(300);
});
