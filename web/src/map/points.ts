// The one shape of both renderers of discs.

import type { Camera } from "./camera";
import type { Palette } from "./palette";
import type { Scene } from "./scene";

export interface Points {
  kind: "webgl2" | "canvas2d";
  canvas: HTMLCanvasElement;
  load(scene: Scene): void;
  /** fill: red, green, blue, 255 a disc; mode: `Mode` bits a disc; both in the order of `scene.leaves` */
  style(fill: Uint8Array<ArrayBuffer>, mode: Uint8Array<ArrayBuffer>): void;
  draw(camera: Camera, dpr: number, colours: Palette): void;
}
