// Colours of the map and of everything that repeats them. The hues were searched for distance under three colour blindnesses.

export type Theme = "light" | "dark";

export const HUES: Record<Theme, readonly string[]> = {
  light: ["#183eab", "#662f07", "#14a29a", "#9c0d67", "#1571ae", "#d8744b", "#a776f8", "#66640b"],
  dark: ["#9ac2fa", "#eca66c", "#35ffcd", "#9e5f7d", "#4e9dd1", "#d54f04", "#7060d4", "#deea3a"],
};
const REST: Record<Theme, string> = { light: "#747c8b", dark: "#8d96a6" };

/** One ramp a theme of the page; lightness goes one way (from the middle outwards for the two-sided ones). */
export const RAMPS: Record<Theme, Record<"sequential" | "diverging", readonly string[]>> = {
  light: {
    sequential: ["#b3c2d8", "#8ea3c4", "#85719f", "#a03c3d", "#5c1316"],
    diverging: ["#0a527d", "#5d9fc9", "#c3c9d3", "#dc8f5f", "#93360d"],
  },
  dark: {
    sequential: ["#3c5175", "#5c7bab", "#a18fb4", "#e2a06a", "#ffd98c"],
    diverging: ["#8fd2f7", "#4588b3", "#434c5b", "#bf7040", "#ffb98a"],
  },
};

/** Of a theme by the rank of its size: at most eight hues, the rest is grey. */
export const hue = (rank: number, theme: Theme): string => HUES[theme][rank] ?? REST[theme];

const channels = (hex: string) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

/** The colour at 0..1 of a ramp. */
export function along(stops: readonly string[], at: number): string {
  const place = Math.min(1, Math.max(0, at)) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(place));
  const [from, to] = [channels(stops[i]), channels(stops[i + 1])];
  return `#${from.map((value, k) => Math.round(value + (to[k] - value) * (place - i)).toString(16).padStart(2, "0")).join("")}`;
}

/** Of the mean concern, 1..5. */
export const concernColour = (concern: number, theme: Theme): string => along(RAMPS[theme].sequential, (concern - 1) / 4);

/** Of a lift, on a log scale clipped at ÷4 and ×4. */
export const liftColour = (lift: number, theme: Theme): string => along(RAMPS[theme].diverging, lift > 0 ? (Math.log2(lift) + 2) / 4 : 0);

/** Of a value between ±most. */
export const changeColour = (value: number, most: number, theme: Theme): string => along(RAMPS[theme].diverging, most > 0 ? (value / most + 1) / 2 : 0.5);

/** Of a count, on a log scale between the least and the most. */
export const sizeColour = (size: number, least: number, most: number, theme: Theme): string =>
  along(RAMPS[theme].sequential, most > least ? Math.log(size / least) / Math.log(most / least) : 0.5);
