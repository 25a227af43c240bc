// Weights over the cells of a picture: dark where there is nothing, clear where there is much, with its sign.

import { make } from "./dom.js";
import { cellsIn } from "./geometry.js";

const DARK = 215; // of 255, over a cell without weight
const CELL = 40; // units a sign is drawn in
const MOST_WIDE = 560; // pixels, or hovering would take more than a frame
const MARKED = 0.12; // share of the scale from which a cell has a mark
const TURN = 220; // milliseconds from one board's weights to the next one's
const SIGNS = { for: "#4aa3ff", against: "#e08a3a" };

/** Draws weights on a canvas in the picture's own coordinates. */
export class Shading {
  constructor() {
    this.canvas = make("canvas", { class: "lx-heat", "aria-hidden": "true" });
    this.dark = make("canvas"); // a pixel a cell
    this.width = 1; // pixels, where signs are shown
    this.lit = null;
    this.drawn = null; // the shares that can be seen
    this.most = 0; // the weight at which a cell is clear; 0 if none has any
  }

  destroy() {
    cancelAnimationFrame(this.frame);
  }

  /** Take how many pixels wide the picture is shown. */
  fit(width) {
    const before = this.width;
    this.width = Math.min(MOST_WIDE, Math.ceil(width));
    if (this.lit && this.drawn.signed && this.width !== before) this.show();
  }

  /**
   * Show {weights, signed, scale}, or nothing for null. The same atom of another board is reached step by step, so
   * that the eye sees what changes.
   */
  light(lit, rows, cols) {
    const before = this.lit;
    if (lit && before && same(before.weights, lit.weights) && before.board === lit.board) return;
    cancelAnimationFrame(this.frame);
    this.lit = lit;
    this.canvas.classList.toggle("lx-on", lit != null);
    if (!lit) return;
    this.most = lit.scale ?? lit.weights.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
    const goal = lit.weights.map((w) => Math.max(-1, Math.min(1, w / (this.most || 1))));
    const turns = before && before.weights.length === goal.length && before.board !== lit.board && !still();
    if (turns) this.turn(this.drawn.shares, goal, lit.signed, rows, cols);
    else this.draw(goal, lit.signed, rows, cols);
  }

  turn(from, to, signed, rows, cols) {
    const start = performance.now();
    const step = (now) => {
      const t = Math.max(0, Math.min(1, (now - start) / TURN));
      const eased = t * t * (3 - 2 * t);
      this.draw(
        to.map((goal, i) => from[i] + eased * (goal - from[i])),
        signed,
        rows,
        cols,
      );
      if (t < 1) this.frame = requestAnimationFrame(step);
    };
    this.frame = requestAnimationFrame(step);
  }

  /** Show shares of the scale, -1 to 1. */
  draw(shares, signed, rows, cols) {
    this.drawn = { shares, signed, rows, cols };
    resize(this.dark, cols, rows);
    const context = this.dark.getContext("2d", { willReadFrequently: true });
    const pixels = context.createImageData(cols, rows);
    // What the unit does not answer to is dimmed; what it answers to keeps its own colours.
    shares.forEach((share, atom) => {
      pixels.data[4 * atom + 3] = DARK * (1 - Math.abs(share));
    });
    context.putImageData(pixels, 0, 0);
    this.show();
  }

  show() {
    const { signed, rows, cols } = this.drawn;
    const { canvas } = this;
    const width = signed ? this.width : cols;
    resize(canvas, width, Math.round((width * rows) / cols));
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    this.paint(context, { x: 0, y: 0, width: 1, height: 1 }, canvas);
  }

  /** Paint what is lit in a part of the picture over {width, height} of a context. */
  paint(context, part, { width, height }) {
    const { shares, signed, rows, cols } = this.drawn;
    const cells = [part.x * cols, part.y * rows, part.width * cols, part.height * rows];
    context.imageSmoothingEnabled = false;
    context.drawImage(this.dark, ...cells, 0, 0, width, height);
    context.imageSmoothingEnabled = true;
    if (!signed) return;
    const scale = [width / part.width / cols / CELL, height / part.height / rows / CELL];
    for (const { atom, row, col } of cellsIn(part, rows, cols)) {
      if (Math.abs(shares[atom]) < MARKED) continue;
      context.save();
      context.scale(...scale);
      context.translate((col - cells[0]) * CELL, (row - cells[1]) * CELL);
      sign(context, shares[atom]);
      context.restore();
    }
  }
}

/** Give a canvas a size; to give it the same again would clear it. */
function resize(canvas, width, height) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}

/** The sign of a cell of CELL units: a frame in its colour, and a plus or a minus, the stronger the larger. */
function sign(context, share) {
  const size = Math.abs(share);
  const colour = share > 0 ? SIGNS.for : SIGNS.against;
  context.globalAlpha = Math.min(1, 0.25 + size);
  context.strokeStyle = colour;
  context.lineWidth = 2 + 3 * size;
  const inset = context.lineWidth / 2 + 1;
  context.strokeRect(inset, inset, CELL - 2 * inset, CELL - 2 * inset);
  context.globalAlpha = 1;
  const reach = 3 + 6 * Math.sqrt(size);
  for (const [half, style] of [
    [4, "#000"],
    [2, "#fff"],
  ]) {
    context.fillStyle = style;
    const [thin, long] = [2 * half, 2 * (reach + half)];
    context.fillRect((CELL - long) / 2, CELL / 2 - half, long, thin);
    if (share > 0) context.fillRect(CELL / 2 - half, (CELL - long) / 2, thin, long);
  }
}

/** Whether two views are of the same numbers in memory. */
function same(a, b) {
  return a.buffer === b.buffer && a.byteOffset === b.byteOffset && a.length === b.length;
}

function still() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
