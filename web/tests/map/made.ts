// Clusters for tests: themes on a ring, base clusters on rings around them, touching nobody.

import type { Columns } from "../../src/map/scene";

export interface Made extends Columns {
  level: number[];
}

export function made(themes: number, each: number, name: (i: number) => string = (i) => `Cluster number ${i}`): Made {
  const columns = { id: [] as string[], parent: [] as (string | null)[], level: [] as number[], name: [] as string[], conversations: [] as number[], share: [] as number[], x: [] as number[], y: [] as number[] };
  const add = (parent: string | null, level: number, conversations: number, x: number, y: number) => {
    const i = columns.id.push(`${columns.id.length}`) - 1;
    columns.parent.push(parent);
    columns.level.push(level);
    columns.name.push(name(i));
    columns.conversations.push(conversations);
    columns.share.push(conversations / (themes * each * 100));
    columns.x.push(x);
    columns.y.push(y);
    return columns.id[i];
  };
  for (let t = 0; t < themes; t++) {
    const [cx, cy] = [0.6 * Math.cos((t * 2 * Math.PI) / themes), 0.6 * Math.sin((t * 2 * Math.PI) / themes)];
    const theme = add(null, 1, each * 100, cx, cy);
    for (let k = 0; k < each; k++) {
      const far = 0.9 / Math.max(themes, 3) * Math.sqrt((k + 0.5) / each);
      add(theme, 2, 60 + ((k * 37) % 80), cx + far * Math.cos(k * 2.39996), cy + far * Math.sin(k * 2.39996));
    }
  }
  return columns;
}
