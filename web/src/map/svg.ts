// The same view as a drawing for print: plain shapes and text, no scripts, no styles.

import { scaleOf, toScreen } from "./camera";
import { haloRadius, haloStrength } from "./halo";
import { inkOf, outlineOf, type Picture, rows } from "./overlay";
import { Mode, opacity } from "./palette";
import { direction } from "./text";

// letters that XML does not know
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

export const escaped = (text: string): string =>
  text.replace(FORBIDDEN, "\ufffd").replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

type Values = Record<string, string | number>;

const tag = (name: string, values: Values, inner = ""): string => {
  const attributes = Object.entries(values).map(([key, value]) => ` ${key}="${escaped(typeof value === "number" ? String(Number(value.toFixed(2))) : value)}"`);
  return `<${name}${attributes.join("")}${inner ? `>${inner}</${name}>` : "/>"}`;
};

export function svgOf(picture: Picture, shown: Uint8Array, mode: Uint8Array): string {
  const { scene, camera, colours, colour } = picture;
  const scale = scaleOf(camera);
  const soft = new Map<string, string[]>();
  const discs: string[] = [];
  scene.leaves.forEach((leaf, k) => {
    const r = Math.max(1.2, scene.radius[leaf] * scale);
    const [cx, cy] = toScreen(camera, scene.columns.x[leaf], scene.columns.y[leaf]);
    const around = haloRadius(scene.radius[leaf]) * scale;
    if (cx + around < 0 || cy + around < 0 || cx - around > camera.width || cy - around > camera.height) return;
    if (shown[leaf]) {
      const tint = colour[scene.top[leaf]] ?? colours.quiet;
      if (!soft.has(tint)) soft.set(tint, []);
      soft.get(tint)?.push(tag("circle", { cx, cy, r: around * 0.75 }));
    }
    const fill = colour[leaf];
    const rim: Values = mode[k] & Mode.Marked ? { stroke: colours.accent, "stroke-width": 2.4 } : fill === null ? { stroke: colours.quiet } : r > 3 ? { stroke: colours.ground, "stroke-width": 0.9 } : {};
    const faint: Values = mode[k] & Mode.Faint ? { opacity: 0.3 } : {};
    discs.push(tag("circle", { cx, cy, r, fill: fill ?? "url(#hidden)", ...(fill === null ? {} : { "fill-opacity": opacity(r, mode[k]) }), ...rim, ...faint }));
  });
  const halos = [...soft].map(([fill, circles]) => tag("g", { fill, filter: "url(#soft)", opacity: haloStrength(colours.dark, camera.view.z) * 0.45 }, circles.join("")));
  const outlines = picture.selected === null ? [] : [outline(picture, picture.selected)];
  const names = picture.labels.flatMap((label) => {
    const [x, y] = toScreen(camera, label.x, label.y);
    const { ink, halo, quiet } = inkOf(picture, label);
    return rows(label, colours.family).map((row) => {
      const [weight, size] = row.font.split(" ");
      const around: Values = halo ? { stroke: colours.ground, "stroke-width": row.note ? 3 : 4, "stroke-linejoin": "round", "paint-order": "stroke" } : {};
      const text = { x, y: y + label.up + row.y + Number.parseFloat(size) * 0.35, "font-weight": weight, "font-size": size, direction: direction(row.text), fill: row.note ? quiet : ink, ...around };
      return tag("text", text, escaped(row.text));
    });
  });
  const hatch = tag("pattern", { id: "hidden", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, tag("path", { d: "M0 0V5", stroke: colours.quiet, "stroke-width": 1.5 }));
  const blur = tag("filter", { id: "soft", x: "-20%", y: "-20%", width: "140%", height: "140%" }, tag("feGaussianBlur", { stdDeviation: 0.014 * scale + 4 }));
  const { width, height } = camera;
  return tag(
    "svg",
    { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${Math.round(width)} ${Math.round(height)}`, "font-family": colours.family, "text-anchor": "middle" },
    [tag("defs", {}, hatch + blur), tag("rect", { width, height, fill: colours.ground }), ...halos, ...discs, ...outlines, ...names].join("\n"),
  );
}

function outline({ scene, camera, colours }: Picture, cluster: number): string {
  const line = { fill: "none", stroke: colours.ink, "stroke-width": 2, "stroke-linejoin": "round" };
  if (scene.under[cluster].length > 1) return tag("polygon", { points: outlineOf(scene, camera, cluster).map((p) => p.map((v) => v.toFixed(1)).join(",")).join(" "), ...line });
  const leaf = scene.under[cluster][0];
  const [cx, cy] = toScreen(camera, scene.columns.x[leaf], scene.columns.y[leaf]);
  return tag("circle", { cx, cy, r: scene.radius[leaf] * scaleOf(camera) + 2.5, ...line });
}
