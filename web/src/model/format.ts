// Numbers as text: one place, so that the same number reads the same everywhere.

const whole = new Intl.NumberFormat("en");

export const count = (n: number): string => whole.format(n);

export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** "1 request", "12 conversations": a number of what a run counts. */
export const counted = (n: number, run: { readonly counted: string }): string => plural(n, run.counted.slice(0, -1));

/** 0.228 → "22.8 %"; small shares keep what tells them from nothing. */
export function percent(share: number): string {
  const value = 100 * share;
  if (value === 0) return "0 %";
  if (value < 0.05) return "< 0.1 %";
  return `${value.toFixed(1)} %`;
}

/** The share of a bar's row: whole percents where a tenth says nothing. */
export const roughPercent = (share: number): string => (share >= 0.0995 ? `${(100 * share).toFixed(0)} %` : percent(share));

export const range = (low: number | null, high: number | null): string =>
  low == null || high == null ? "" : `${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)} %`;

/** A change in percentage points, without its sign: an arrow stands before it. */
export const points = (difference: number): string => (100 * Math.abs(difference)).toFixed(1);

export const signed = (difference: number): string => `${difference < 0 ? "−" : "+"}${points(difference)}`;

export type Direction = "over" | "under" | "same" | "none";

export const ARROW: Record<Direction, string> = { over: "▲", under: "▼", same: "≈", none: "" };

/** Which way a lift points: significant, or else the same. */
export function direction(lift: number | null, significant: boolean): Direction {
  if (lift == null || lift <= 0) return "none";
  if (!significant || lift === 1) return "same";
  return lift > 1 ? "over" : "under";
}

export function liftText(lift: number | null, way: Direction = "same"): string {
  if (lift == null || lift <= 0) return "";
  if ((way === "over" || way === "under") && Math.abs(lift - 1) < 0.05) return `×${lift.toFixed(2)}`; // an arrow at ×1.0 would puzzle
  return lift >= 9.95 ? `×${lift.toFixed(0)}` : lift >= 0.095 ? `×${lift.toFixed(1)}` : `×${lift.toFixed(2)}`;
}

export function changeDirection(difference: number): Direction {
  const shown = points(difference);
  return shown === "0.0" ? "none" : difference > 0 ? "over" : "under";
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The Monday of an ISO week ("2026-W41"), null for another text. */
export function monday(week: string): Date | null {
  const found = /^(\d{4})-W(\d{2})$/.exec(week);
  if (!found) return null;
  const fourth = new Date(Date.UTC(Number(found[1]), 0, 4)); // the 4th of January always lies in week 1
  const first = fourth.getTime() - ((fourth.getUTCDay() + 6) % 7) * 86_400_000;
  return new Date(first + (Number(found[2]) - 1) * 7 * 86_400_000);
}

/** "5 Oct" for an ISO week; the week itself where it is none. */
export function weekStart(week: string): string {
  const date = monday(week);
  return date ? `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}` : week;
}

/** "13 Jul – 8 Nov 2026": from the first day of one week to the last day of another. */
export function weekSpan(first: string, last: string): string {
  const start = monday(first);
  const end = monday(last);
  if (!start || !end) return first === last ? first : `${first} – ${last}`;
  const until = new Date(end.getTime() + 6 * 86_400_000);
  const year = start.getUTCFullYear() === until.getUTCFullYear() ? "" : ` ${start.getUTCFullYear()}`;
  const month = start.getUTCMonth() === until.getUTCMonth() && !year ? "" : ` ${MONTHS[start.getUTCMonth()]}`;
  return `${start.getUTCDate()}${month}${year} – ${until.getUTCDate()} ${MONTHS[until.getUTCMonth()]} ${until.getUTCFullYear()}`;
}

/** "interaction_style" → "Interaction style". */
export function label(name: string): string {
  const words = name.replace(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
