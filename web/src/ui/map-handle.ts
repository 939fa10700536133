// The one map on the page, for those who fly it or take its picture.

import type { MapHandle } from "../map";

export const mapHandle: { current: MapHandle | null } = { current: null };
