// All discs in one draw of WebGL2: four corners each. (Instances would do too, but software renderers draw them one by one.)

import { type Camera, scaleOf } from "./camera";
import { type Palette, rgb } from "./palette";
import type { Points } from "./points";
import type { Scene } from "./scene";

const VERTEX = `#version 300 es
in vec3 disc; in vec4 fill; in float mode;
uniform vec2 centre, size; uniform float scale, dpr;
out vec2 at; flat out float r; flat out vec4 body; flat out int bits;
void main() {
  r = max(disc.z * scale, 1.2 * dpr);
  at = (vec2(gl_VertexID & 1, (gl_VertexID >> 1) & 1) * 2.0 - 1.0) * (r + 1.0);
  vec2 place = ((disc.xy - centre) * scale + at) * 2.0 / size;
  gl_Position = vec4(place.x, -place.y, 0, 1);
  bits = int(mode); body = fill;
}`;
const FRAGMENT = `#version 300 es
precision highp float;
in vec2 at; flat in float r; flat in vec4 body; flat in int bits;
uniform vec3 ground, accent, quiet; uniform float dpr;
out vec4 colour;
void main() {
  float d = length(at), css = r / dpr;
  float cover = clamp(r + 0.5 - d, 0.0, 1.0);
  bool faint = (bits & 1) != 0, marked = (bits & 2) != 0, hidden = (bits & 4) != 0, strong = (bits & 8) != 0;
  float alpha = faint ? 0.13 : strong ? 0.95 : mix(0.76, 0.92, clamp((css - 6.0) / 14.0, 0.0, 1.0));
  vec4 inner = vec4(body.rgb, 1) * alpha;
  if (hidden) {
    float line = abs(fract((gl_FragCoord.x + gl_FragCoord.y) / (5.0 * dpr)) - 0.5) * 5.0 * dpr;
    float stripe = css < 4.0 ? 0.0 : clamp(1.0 - line, 0.0, 1.0) * 0.7;
    inner = vec4(quiet, 1) * (faint ? stripe * 0.3 : stripe);
  }
  float rim = marked ? min(3.4 * dpr, r * 0.7) : hidden ? min(dpr, r * 0.5) : faint ? 0.0 : 0.9 * dpr * clamp((css - 3.0) / 3.0, 0.0, 1.0);
  // a marked disc of the accent's own colour still shows its ring
  vec4 edge = marked ? vec4(mix(ground, accent, clamp(d - r + rim * 0.62 + 0.5, 0.0, 1.0)), 1) : hidden ? vec4(quiet, 1) * (faint ? 0.3 : 0.9) : vec4(ground, 1) * 0.9;
  colour = (rim > 0.0 ? mix(edge, inner, clamp(r - rim + 0.5 - d, 0.0, 1.0)) : inner) * cover;
}`;

/** Discs on a canvas by WebGL2; null where there is none. */
export function webglPoints(canvas: HTMLCanvasElement): Points | null {
  const gl = canvas.getContext("webgl2", { alpha: true, antialias: false, depth: false, premultipliedAlpha: true });
  if (!gl) return null;
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(kind);
    if (!shader) return null;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
  gl.useProgram(program);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  const attribute = (name: string, size: number, type: number, normal: boolean) => {
    const buffer = gl.createBuffer();
    const place = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, type, normal, 0, 0);
    return (data: Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
    };
  };
  const discs = attribute("disc", 3, gl.FLOAT, false);
  const fills = attribute("fill", 4, gl.UNSIGNED_BYTE, true);
  const modes = attribute("mode", 1, gl.UNSIGNED_BYTE, false);
  const at = (name: string) => gl.getUniformLocation(program, name);
  const [centre, size, scale, ratio, ground, accent, quiet] = ["centre", "size", "scale", "dpr", "ground", "accent", "quiet"].map(at);
  const corners = gl.createBuffer();
  let count = 0;
  return {
    kind: "webgl2",
    canvas,
    load(scene: Scene) {
      count = scene.leaves.length;
      discs(Float32Array.from({ length: count * 12 }, (_, k) => [scene.columns.x, scene.columns.y, scene.radius][k % 3][scene.leaves[Math.floor(k / 12)]]));
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, corners);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, Uint32Array.from({ length: count * 6 }, (_, k) => Math.floor(k / 6) * 4 + [0, 1, 2, 2, 1, 3][k % 6]), gl.STATIC_DRAW);
    },
    style(fill, mode) {
      fills(Uint8Array.from({ length: count * 16 }, (_, k) => fill[(k >> 4) * 4 + (k & 3)]));
      modes(Uint8Array.from({ length: count * 4 }, (_, k) => mode[k >> 2]));
    },
    draw(camera: Camera, dpr: number, colours: Palette) {
      const unit = (colour: string) => rgb(colour).map((value) => value / 255);
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
      gl.uniform2f(centre, camera.view.x, camera.view.y);
      gl.uniform2f(size, canvas.width, canvas.height);
      gl.uniform1f(scale, scaleOf(camera) * dpr);
      gl.uniform1f(ratio, dpr);
      gl.uniform3fv(ground, unit(colours.ground));
      gl.uniform3fv(accent, unit(colours.accent));
      gl.uniform3fv(quiet, unit(colours.quiet));
      gl.drawElements(gl.TRIANGLES, count * 6, gl.UNSIGNED_INT, 0);
    },
  };
}
