// The lens: the same place of every picture of a scene, magnified.

import { make } from "./dom.js";
import { lensOver } from "./geometry.js";

export const LENS_ZOOM = 4; // how much larger than the whole picture; once zoomed in so far it has no use
const WIDTH = 0.38; // of the viewport
const MOST_PIXELS = 160;

/** Draws one picture's lens into a canvas that lies over its viewport. */
export class Lens {
  constructor() {
    this.canvas = make("canvas", { class: "lx-lens", "aria-hidden": "true" });
  }

  hide() {
    this.canvas.classList.remove("lx-on");
  }

  /**
   * Show a place: `box` is the viewport in pixels, `layers` are the pictures that lie there from below ({source,
   * faint}), over them what `heat` lights, if not null; `outline` is the cell to mark, in the picture's coordinates.
   */
  show(view, place, box, layers, heat, outline) {
    const side = Math.min(WIDTH * Math.min(box.width, box.height), MOST_PIXELS);
    const { frame, shown } = lensOver(view, place, side / box.width, side / box.height, LENS_ZOOM);
    const density = Math.min(window.devicePixelRatio || 1, 2);
    const pixels = Math.round(side * density);
    const { canvas } = this;
    if (canvas.width !== pixels) {
      canvas.width = canvas.height = pixels;
      canvas.style.width = canvas.style.height = `${side}px`;
    }
    canvas.style.transform = `translate(${frame.x * box.width}px, ${frame.y * box.height}px)`;
    canvas.classList.add("lx-on");
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, pixels, pixels);
    for (const { source, faint } of layers) {
      const width = source.naturalWidth ?? source.width;
      const height = source.naturalHeight ?? source.height;
      if (!width) continue;
      context.globalAlpha = faint ? 0.25 : 1;
      const part = [shown.x * width, shown.y * height, shown.width * width, shown.height * height];
      context.drawImage(source, ...part, 0, 0, pixels, pixels);
    }
    context.globalAlpha = 1;
    // Painted anew: to read its canvas, which each move draws on, would have the browser copy it.
    heat?.paint(context, shown, canvas);
    if (outline) this.outline(context, outline, shown, pixels, density);
  }

  outline(context, box, shown, pixels, density) {
    const x = ((box.x - shown.x) / shown.width) * pixels;
    const y = ((box.y - shown.y) / shown.height) * pixels;
    const width = (box.width / shown.width) * pixels;
    const height = (box.height / shown.height) * pixels;
    for (const [colour, line] of [
      ["rgb(0 0 0 / 65%)", 3],
      ["#fff", 1.5],
    ]) {
      context.strokeStyle = colour;
      context.lineWidth = line * density;
      context.strokeRect(x, y, width, height);
    }
  }
}
