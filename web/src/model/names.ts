// What facets and their values are called on screen.

import type { Offered } from "../api";
import { label, weekSpan } from "./format";

const FACETS: Record<string, string> = { length: "Length", turns: "Turns", concern: "Concern", week: "Week" };
const languages = new Intl.DisplayNames(["en"], { type: "language", fallback: "none" });

export const facetName = (facet: string): string => FACETS[facet] ?? label(facet);

export function valueName(facet: string, value: string): string {
  if (facet === "language" && /^[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*$/.test(value)) {
    try {
      return languages.of(value.replaceAll("_", "-")) ?? value;
    } catch {
      return value; // no tag of a language after all
    }
  }
  if (facet === "concern") return value === "1" ? "1 (none)" : value === "5" ? "5 (high)" : value;
  if (facet === "turns") return value === "1" ? "1 turn" : `${value} turns`;
  return value;
}

/** What A or B of a comparison is: a span of days for weeks, else the value by its name. */
export function sideName({ facet, a, b, a_title, b_title }: Offered, side: "a" | "b"): string {
  const [values, title] = side === "a" ? [a, a_title] : [b, b_title];
  if (/\d-W\d/.test(title)) return weekSpan(values[0], values[values.length - 1]);
  return values.length === 1 ? valueName(facet, values[0]) : title;
}

export const comparisonName = (offered: Offered): string =>
  offered.a.length === 1 ? `${sideName(offered, "a")} against ${sideName(offered, "b")}` : offered.title.charAt(0).toUpperCase() + offered.title.slice(1);
