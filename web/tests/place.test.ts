import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decode, encode, HOME, type Filter, type Place } from "../src/model/place";

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const coordinate = (low: number, high: number) => fc.integer({ min: low * 10_000, max: high * 10_000 }).map((n) => n / 10_000);
const filter: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({ kind: fc.constant("facet" as const), facet: text, values: fc.array(text, { minLength: 1, maxLength: 4 }) }),
  fc.record({ kind: fc.constantFrom("concern" as const, "audit" as const, "size" as const), least: fc.double({ min: 0, max: 1e6, noNaN: true }).map((n) => n + 0) }),
  fc.record({ kind: fc.constant("level" as const), level: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kind: fc.constant("growth" as const), direction: fc.constantFrom("up" as const, "down" as const) }),
);
const place: fc.Arbitrary<Place> = fc.record({
  run: fc.option(text),
  screen: fc.constantFrom("explore" as const, "table" as const, "changes" as const, "cluster" as const, "run" as const),
  cluster: fc.option(text),
  colour: fc.oneof(
    fc.record({ by: fc.constantFrom("theme" as const, "size" as const, "growth" as const, "concern" as const) }),
    fc.record({ by: fc.constant("lift" as const), facet: text, value: text }),
  ),
  view: fc.record({ x: coordinate(-4, 4), y: coordinate(-4, 4), z: coordinate(1, 1000) }),
  filters: fc.array(filter, { maxLength: 4 }),
  comparison: fc.option(text),
  sort: fc.record({ by: fc.constantFrom("share" as const, "size" as const, "growth" as const, "concern" as const, "audit" as const, "level" as const, "name" as const, "lift" as const), down: fc.boolean() }),
  lift: fc.option(fc.record({ facet: text, value: text })),
  query: text,
});

describe("a place in an address", () => {
  it("comes back as it was, the words of a search among it only when asked for", () => {
    fc.assert(
      fc.property(place, (given) => {
        expect(decode(encode(given, true))).toEqual(given);
        expect(decode(encode(given))).toEqual({ ...given, query: "" });
      }),
    );
  });

  it("survives the address bar of a browser, as a query and behind a #", () => {
    fc.assert(
      fc.property(place, (given) => {
        const address = new URL(`http://127.0.0.1/any/prefix/?${encode(given, true)}`);
        expect(decode(address.search)).toEqual(given);
        expect(decode(new URL(`file:///x.html#${encode(given, true)}`).hash)).toEqual(given);
      }),
    );
  });

  it("is home for any query that makes no sense, and never throws", () => {
    fc.assert(fc.property(fc.string(), (query) => void decode(query)));
    expect(decode("?view=nowhere&z=abc&x=99&color=lift:only&f=facet:x&f=level:zero&f=size:-1&sort=up:up&lift=%E0%A4%A&unknown=1")).toEqual(HOME);
    expect(decode("")).toEqual(HOME);
  });

  it("leaves out all that is as at home, so that the shortest link is empty", () => {
    expect(encode(HOME)).toBe("");
  });
});
