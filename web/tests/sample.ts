// A small made-up run: two themes, one of them with two levels below.

import type { Clusters, Run } from "../src/api";

const rows: [id: string, parent: string | null, level: number, name: string, share: number, concern: number | null, growth: number | null, q: number | null][] = [
  ["a", null, 1, "Software", 0.6, 1.2, 0.02, 0.01],
  ["b", null, 1, "Cooking", 0.3, null, null, null],
  ["a1", "a", 2, "Fix errors", 0.4, 1.1, 0.03, 0.001],
  ["a2", "a", 2, "Write tests", 0.2, 2.5, -0.02, 0.2],
  ["a1x", "a1", 3, "Fix CSS", 0.25, 1, -0.03, 0.01],
  ["a1y", "a1", 3, "Fix 数学", 0.15, null, null, null],
];
const column = <T>(of: (row: (typeof rows)[number]) => T) => rows.map(of);

export const columns: Clusters = {
  id: column((row) => row[0]),
  parent: column((row) => row[1]),
  level: column((row) => row[2]),
  name: column((row) => row[3]),
  description: column((row) => `People ask for ${row[3].toLowerCase()} Ünder pressure.`),
  conversations: column((row) => Math.round(1000 * row[4])),
  share: column((row) => row[4]),
  share_low: column(() => null),
  share_high: column(() => null),
  users: column(() => "100-499"),
  audit: column((row) => (row[2] === 3 ? 4 : 5)),
  x: column((_) => 0),
  y: column((_) => 0),
  concern: column((row) => row[5]),
  growth: column((row) => row[6]),
  growth_low: column((row) => row[6]),
  growth_high: column((row) => row[6]),
  growth_q: column((row) => row[7]),
  other: [
    { parent: null, conversations: 100, share: 0.1 },
    { parent: "a1", conversations: 5, share: 0.005 },
  ],
};

export const run: Run = {
  id: "made up",
  title: "Made up",
  conversations: 1000,
  counted: "conversations",
  users: "500-999",
  coverage: 0.9,
  coverage_low: null,
  coverage_high: null,
  levels: [2, 2, 2],
  sample: null,
  facets: [{ facet: "week", kind: "time", values: ["2026-W01", "2026-W02", "2026-W03", "2026-W04"].map((value) => ({ value, conversations: 250, share: 0.25, share_low: 0.2, share_high: 0.3 })), withheld: 0 }],
  comparisons: [{ id: "halves", facet: "week", title: "second half against first", a_title: "2026-W03 to 2026-W04", b_title: "2026-W01 to 2026-W02", a: ["2026-W03", "2026-W04"], b: ["2026-W01", "2026-W02"] }],
  growth: "halves",
  withheld: {},
  policy: { min_users: 5, min_cell_users: 5, min_cell_conversations: 15 },
  about: {},
};
