// Names into short lines: every script, any length.

export type Measure = (text: string, font: string) => number;

const letters = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const words = new Intl.Segmenter(undefined, { granularity: "word" });
const DENSE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Khmer}\p{Script=Lao}]/u;
const RIGHT_TO_LEFT = /^[^\p{L}]*[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}]/u;

export const direction = (text: string): "rtl" | "ltr" => (RIGHT_TO_LEFT.test(text) ? "rtl" : "ltr");

/** Cut to a width, whole letters only. */
export function clipped(text: string, width: number, measure: (text: string) => number): string {
  if (measure(text) <= width) return text;
  const all = Array.from(letters.segment(text.slice(0, 400)), (part) => part.segment);
  let [fits, fails] = [0, all.length];
  while (fails - fits > 1) {
    const middle = (fits + fails) >> 1;
    if (measure(`${all.slice(0, middle).join("").trimEnd()}…`) <= width) fits = middle;
    else fails = middle;
  }
  return `${all.slice(0, fits).join("").trimEnd()}…`;
}

/** At most `most` lines of about equal width, none wider than `width`; what does not fit ends in an ellipsis. */
export function wrapped(name: string, most: number, width: number, measure: (text: string) => number): string[] {
  const text = name.slice(0, 400).replace(/[\s\p{Cc}]+/gu, " ").trim();
  if (measure(text) <= width) return [text];
  const parts = DENSE.test(text) ? Array.from(words.segment(text), (part) => part.segment) : (text.match(/\S+ ?/g) ?? []);
  const widths = parts.map((part) => measure(part));
  const fill = (limit: number): number[] => {
    const starts = [0];
    let used = 0;
    parts.forEach((part, i) => {
      if (used && used + measure(part.trimEnd()) > limit) {
        starts.push(i);
        used = 0;
      }
      used += widths[i];
    });
    return starts;
  };
  let starts = fill(width);
  if (starts.length <= most) {
    for (let limit = width * 0.92; limit > 24; limit *= 0.92) {
      const closer = fill(limit);
      if (closer.length > starts.length) break;
      starts = closer;
    }
  }
  return starts.slice(0, most).map((start, i) => {
    const last = i === most - 1;
    return clipped(parts.slice(start, last ? undefined : starts[i + 1]).join("").trim(), width, measure);
  });
}

/** Widths by font and text, each measured once: at one size, as they grow with it. */
export function cached(measure: Measure): Measure {
  const fonts = new Map<string, { face: string; times: number; widths: Map<string, number> }>();
  const faces = new Map<string, Map<string, number>>();
  const meet = (font: string) => {
    const [, weight, size, family] = /^(\S+) ([\d.]+)px (.*)$/.exec(font) ?? ["", "400", "16", "sans-serif"];
    const face = `${weight} 16px ${family}`;
    const widths = faces.get(face) ?? new Map<string, number>();
    faces.set(face, widths);
    const made = { face, times: Number(size) / 16, widths };
    fonts.set(font, made);
    return made;
  };
  return (text, font) => {
    const { face, times, widths } = fonts.get(font) ?? meet(font);
    let width = widths.get(text);
    if (width === undefined) {
      if (widths.size > 50_000) widths.clear();
      widths.set(text, (width = measure(text, face)));
    }
    return width * times;
  };
}
