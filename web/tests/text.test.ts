import { describe, expect, it } from "vitest";
import { along, concernColour, hue, HUES, liftColour, RAMPS } from "../src/model/colour";
import { csv, inert } from "../src/model/csv";
import { direction, liftText, monday, percent, points, range, weekSpan, weekStart } from "../src/model/format";
import { comparisonName, sideName, valueName } from "../src/model/names";
import { marks } from "../src/ui/spark";
import { meanConcern } from "../src/ui/detail";
import { run } from "./sample";

describe("lifts", () => {
  it("read as times the base rate, and as nothing where they are hidden", () => {
    expect([2.04, 0.6, 12.3, 0.04].map((lift) => liftText(lift))).toEqual(["×2.0", "×0.6", "×12", "×0.04"]);
    expect(liftText(null)).toBe("");
    expect(liftText(0)).toBe("");
  });

  it("never show an arrow beside ×1.0", () => {
    expect(liftText(1.03, "over")).toBe("×1.03");
    expect(liftText(1.03, "same")).toBe("×1.0");
  });

  it("point somewhere only where they are no chance", () => {
    expect([direction(1.8, true), direction(0.5, true), direction(1.8, false), direction(null, true)]).toEqual(["over", "under", "same", "none"]);
  });
});

describe("numbers", () => {
  it("tell a small share from none", () => {
    expect([0, 0.0002, 0.0123, 0.5].map(percent)).toEqual(["0 %", "< 0.1 %", "1.2 %", "50.0 %"]);
  });

  it("leave out an interval that is not known", () => {
    expect(range(0.1, null)).toBe("");
    expect(range(0.1, 0.125)).toBe("10.0–12.5 %");
    expect(points(-0.0123)).toBe("1.2");
  });

  it("put weeks on the days of ISO 8601", () => {
    expect(monday("2026-W01")?.toISOString().slice(0, 10)).toBe("2025-12-29");
    expect(monday("2020-W53")?.toISOString().slice(0, 10)).toBe("2020-12-28");
    expect(weekStart("2026-W41")).toBe("5 Oct");
    expect(weekStart("spring")).toBe("spring");
    expect(weekSpan("2026-W40", "2026-W45")).toBe("28 Sep – 8 Nov 2026");
    expect(weekSpan("2026-W02", "2026-W02")).toBe("5 – 11 Jan 2026");
    expect(weekSpan("2026-W01", "2026-W02")).toBe("29 Dec 2025 – 11 Jan 2026");
  });

  it("mark an axis from below the least to above the most", () => {
    for (const [low, high] of [[0.054, 0.066], [0, 0.5], [0.2, 0.2], [0.0001, 0.0002]]) {
      const axis = marks(low, high);
      expect(axis[0]).toBeLessThanOrEqual(low);
      expect(axis[axis.length - 1]).toBeGreaterThanOrEqual(high);
      expect(axis.length).toBeGreaterThan(1);
      expect(axis.length).toBeLessThan(7);
    }
  });

  it("give the mean concern of the ratings shown, none of none", () => {
    expect(meanConcern([{ value: "1", conversations: 30 }, { value: "3", conversations: 10 }])).toBe(1.5);
    expect(meanConcern([{ value: "unclear", conversations: 30 }])).toBeNull();
  });
});

describe("names", () => {
  it("call languages by their names and leave what is none", () => {
    expect(valueName("language", "ja")).toBe("Japanese");
    expect(valueName("language", "unknown")).toBe("unknown");
    expect(valueName("language", "xx-not a tag")).toBe("xx-not a tag");
    expect(valueName("model", "en")).toBe("en");
  });

  it("call the sides of a comparison by their days, or by their values", () => {
    expect(sideName(run.comparisons[0], "a")).toBe("12 – 25 Jan 2026");
    expect(comparisonName({ id: "l", facet: "language", title: "ja against all others", a: ["ja"], b: ["en", "fr"], a_title: "ja", b_title: "all others" })).toBe("Japanese against all others");
  });
});

describe("tables", () => {
  it("hold no cell that a spreadsheet would evaluate", () => {
    for (const text of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1"]) expect(inert(text).startsWith("'")).toBe(true);
    expect(inert("fix = broken")).toBe("fix = broken");
  });

  it("keep quotes, commas and lines inside of their cells, and hidden numbers empty", () => {
    expect(csv(["name", "n"], [['a "b", c\nd', null], ["=x", -1.5]])).toBe('name,n\r\n"a ""b"", c\nd",\r\n\'=x,-1.5\r\n');
  });
});

describe("colours", () => {
  const lightness = (hex: string) => {
    const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    const cube = [0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b, 0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b, 0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b].map(Math.cbrt);
    return 0.2104542553 * cube[0] + 0.793617785 * cube[1] - 0.0040720468 * cube[2];
  };

  it("go one way in lightness: along the ramp, or outwards from its middle", () => {
    for (const theme of ["light", "dark"] as const) {
      const way = theme === "light" ? -1 : 1;
      const steps = Array.from({ length: 41 }, (_, i) => i / 40);
      const up = steps.map((at) => way * lightness(along(RAMPS[theme].sequential, at)));
      expect([...up].sort((a, b) => a - b)).toEqual(up);
      for (const sign of [-1, 1]) {
        const outwards = steps.map((at) => way * lightness(along(RAMPS[theme].diverging, 0.5 + (sign * at) / 2)));
        expect([...outwards].sort((a, b) => a - b)).toEqual(outwards);
      }
    }
  });

  it("are eight hues at most, and grey for the rest", () => {
    expect(new Set(Array.from({ length: 20 }, (_, rank) => hue(rank, "light"))).size).toBe(HUES.light.length + 1);
  });

  it("stop at ÷4 and ×4, and at 1 and 5", () => {
    expect(liftColour(100, "light")).toBe(liftColour(4, "light"));
    expect(liftColour(0, "dark")).toBe(liftColour(0.25, "dark"));
    expect(concernColour(9, "dark")).toBe(concernColour(5, "dark"));
  });
});
