// Colours of the page, and how a disc is painted: shared by all that draws discs (WebGL repeats `opacity` in its shader).

export type Rgb = readonly [number, number, number];

export interface Palette {
  ground: string;
  panel: string;
  ink: string;
  quiet: string;
  accent: string;
  family: string;
  dark: boolean;
}

export const enum Mode {
  Faint = 1,
  Marked = 2,
  Hidden = 4,
  Strong = 8,
}

const NAMES = { ground: "--map", panel: "--panel", ink: "--ink", quiet: "--ink-2", accent: "--accent" } as const;
const LIGHT = { ground: "#fbfbfd", panel: "#ffffff", ink: "#141922", quiet: "#495262", accent: "#1f4fd8" };
const DARK = { ground: "#0f131a", panel: "#14181f", ink: "#f0f3f8", quiet: "#bac3d1", accent: "#8fb1ff" };
const FORCED = { ground: "Canvas", panel: "Canvas", ink: "CanvasText", quiet: "CanvasText", accent: "Highlight" };

export function palette(host: HTMLElement, theme: "light" | "dark"): Palette {
  const style = getComputedStyle(host);
  const found = { ...(theme === "dark" ? DARK : LIGHT), family: style.fontFamily || "system-ui, sans-serif", dark: theme === "dark" };
  for (const [key, name] of Object.entries(NAMES) as [keyof typeof NAMES, string][]) found[key] = style.getPropertyValue(name).trim() || found[key];
  return matchMedia("(forced-colors: active)").matches ? { ...found, ...FORCED } : found;
}

const known = new Map<string, Rgb>();
let pixel: CanvasRenderingContext2D | null = null;

/** Any CSS colour as red, green, blue in 0..255. */
export function rgb(colour: string): Rgb {
  let found = known.get(colour);
  if (found) return found;
  const hex = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(colour);
  if (hex) found = [Number.parseInt(hex[1], 16), Number.parseInt(hex[2], 16), Number.parseInt(hex[3], 16)];
  else {
    pixel ??= canvas(1, 1).getContext("2d", { willReadFrequently: true });
    if (!pixel) return [128, 128, 128];
    pixel.fillStyle = "#808080";
    pixel.fillStyle = colour;
    pixel.fillRect(0, 0, 1, 1);
    const [r, g, b] = pixel.getImageData(0, 0, 1, 1).data;
    found = [r, g, b];
  }
  if (known.size > 5000) known.clear();
  known.set(colour, found);
  return found;
}

/** How solid a disc of r CSS pixels is: dense small discs let each other shine through, bubbles carry their name. */
export function opacity(r: number, mode: number): number {
  if (mode & Mode.Faint) return 0.13;
  if (mode & Mode.Strong) return 0.95;
  return 0.76 + 0.16 * Math.min(1, Math.max(0, (r - 6) / 14));
}

const luminance = (colour: Rgb): number =>
  colour.map((value) => (value <= 10 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4)).reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);

/** Black or white, whichever reads better on a disc: at least 4.5 to 1 on any colour. */
export function inkOn(colour: Rgb, ground: Rgb, alpha: number): string {
  const light = luminance([0, 1, 2].map((i) => colour[i] * alpha + ground[i] * (1 - alpha)) as unknown as Rgb);
  return 1.05 / (light + 0.05) > (light + 0.05) / 0.05 ? "#ffffff" : "#000000";
}

export function canvas(width: number, height: number, name = ""): HTMLCanvasElement {
  const made = document.createElement("canvas");
  made.width = width;
  made.height = height;
  made.className = name;
  return made;
}
