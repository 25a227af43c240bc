// Coloured marks: numbers at cells of a picture, and the same number beside a unit's name.

import { make, place, setText } from "./dom.js";
import { cellBox } from "./geometry.js";

/** A mark: a short text on its colour, black or white, whichever is read better. */
export function chip(text, colour) {
  const element = make("span", { class: "lx-chip", "aria-hidden": "true" }, text);
  paintChip(element, text, colour);
  return element;
}

/** Give a chip another text and colour; without a colour it is gone. */
export function paintChip(element, text, colour) {
  element.hidden = !colour;
  if (!colour) return;
  setText(element, text);
  element.style.background = colour;
  element.style.color = luminance(colour) > 0.18 ? "#000" : "#fff";
}

/** Relative luminance of "#rrggbb", 0 to 1. */
function luminance(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => (Number.parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** The marks of a grid, in the picture's own coordinates. */
export class Marks {
  constructor() {
    this.element = make("div", { class: "lx-marks", "aria-hidden": "true" });
  }

  update({ marks, rows, cols }) {
    this.element.replaceChildren(
      ...marks.map(({ atom, text, colour }) => {
        const at = make("span", { class: "lx-mark" }, chip(text, colour));
        place(at, cellBox(atom, rows, cols));
        return at;
      }),
    );
  }
}
