// What a selection lights up in a picture: dark where there is nothing, clear where there is much, with its sign.

import { make } from "./dom.js";
import { cellsIn } from "./geometry.js";

const DARK = 215; // of 255, over a cell without weight
const CELL = 40; // pixels of a cell that shows its sign
const MOST_SIDE = 560; // pixels a side, or hovering a fine grid would take more than a frame
const MARKED = 0.12; // share of the scale from which a cell has a mark
const TURN = 220; // milliseconds from one board's weights to the next one's
const SIGNS = { for: "#4aa3ff", against: "#e08a3a" };

/** Draws weights on a canvas in the picture's own coordinates. */
export class Heat {
  constructor() {
    this.canvas = make("canvas", { class: "lx-heat", "aria-hidden": "true" });
    this.lit = null;
    this.drawn = null; // the shares that can be seen
    this.scale = 1;
  }

  destroy() {
    cancelAnimationFrame(this.frame);
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
    this.scale = lit.scale ?? lit.weights.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
    this.scale ||= 1;
    const goal = lit.weights.map((w) => Math.max(-1, Math.min(1, w / this.scale)));
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
    const side = signed ? Math.min(CELL, Math.floor(MOST_SIDE / Math.max(rows, cols))) : 1;
    const { canvas } = this;
    if (canvas.width !== cols * side || canvas.height !== rows * side) {
      canvas.width = cols * side;
      canvas.height = rows * side;
    }
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    this.paint(context, { x: 0, y: 0, width: 1, height: 1 }, canvas);
  }

  /** Paint what is lit in a part of the picture over {width, height} of a context. */
  paint(context, part, { width, height }) {
    const { shares, signed, rows, cols } = this.drawn;
    // Between whole pixels, or a seam would show.
    const left = (col) => Math.round(((col / cols - part.x) / part.width) * width);
    const top = (row) => Math.round(((row / rows - part.y) / part.height) * height);
    context.fillStyle = "#000";
    for (const { atom, row, col } of cellsIn(part, rows, cols)) {
      const [x, y] = [left(col), top(row)];
      // What the unit does not answer to is dimmed; what it answers to keeps its own colours.
      context.globalAlpha = (DARK / 255) * (1 - Math.abs(shares[atom]));
      context.fillRect(x, y, left(col + 1) - x, top(row + 1) - y);
      if (!signed || Math.abs(shares[atom]) < MARKED) continue;
      context.save();
      context.translate(x, y);
      context.scale((left(col + 1) - x) / CELL, (top(row + 1) - y) / CELL);
      sign(context, shares[atom]);
      context.restore();
    }
    context.globalAlpha = 1;
  }
}

/** The sign of a cell of CELL pixels: a frame in its colour, and a plus or a minus, the stronger the larger. */
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
  const [cx, cy] = [CELL / 2, CELL / 2];
  for (const [width, style] of [
    [8, "#000"],
    [4, "#fff"],
  ]) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(cx - reach, cy);
    context.lineTo(cx + reach, cy);
    if (share > 0) {
      context.moveTo(cx, cy - reach);
      context.lineTo(cx, cy + reach);
    }
    context.stroke();
  }
}

/** Whether two views are of the same numbers in memory. */
function same(a, b) {
  return a.buffer === b.buffer && a.byteOffset === b.byteOffset && a.length === b.length;
}

function still() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
