// The pictures of a grid's cells, on one canvas that lies in the picture's own coordinates.

import { make } from "./dom.js";
import { clamp, tileIn } from "./geometry.js";

const SIDE = 1120; // pixels of the longer side of all tiles: each near its own resolution
const LEAST = 40; // pixels of a cell
const MOST = 112;
const HATCH = 8; // lines across a dead cell

/** Draws tiles, equal or sized, with what is dead hatched and what is still to come left open. */
export class Tiles {
  /** `sheets.image(url)` gives the decoded sheet. */
  constructor(sheets) {
    this.sheets = sheets;
    this.canvas = make("canvas", { class: "lx-tiles", "aria-hidden": "true" });
    this.whole = make("canvas"); // at full resolution, for the lens
    this.full = false; // whether nothing can be seen between them
  }

  /**
   * Draw what has changed: `panel` with its sheet, whether tiles are `sized`, the page's colours, and how many pixels
   * wide they are shown.
   */
  draw(panel, sized, dark, width) {
    const image = panel.sheet && this.sheets.image(panel.sheet.url);
    if (image && !image.complete) return; // what is there stays until the new sheet can be drawn
    const state = [panel, panel.sheet, sized, dark];
    const same = this.state?.every((part, i) => part === state[i]);
    if (!same) {
      this.state = state;
      this.drawWhole(panel, image, sized, dark);
      const there = (icon, atom) => icon >= 0 || panel.dead.has(atom);
      this.full = Boolean(image) && !sized && panel.icon_of.every(there);
    }
    const shown = Math.min(this.whole.width, Math.ceil(width));
    if (!same || this.canvas.width !== shown) this.fit(shown);
  }

  /** A browser scales a canvas for every frame: so that on the page has no more pixels than are shown of it. */
  fit(width) {
    const { whole, canvas } = this;
    canvas.width = width;
    canvas.height = Math.round((width * whole.height) / whole.width);
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(whole, 0, 0, canvas.width, canvas.height);
  }

  drawWhole(panel, image, sized, dark) {
    const { rows, cols } = panel;
    const cell = clamp(Math.round(SIDE / Math.max(rows, cols)), LEAST, MOST);
    this.whole.width = cols * cell;
    this.whole.height = rows * cell;
    const context = this.whole.getContext("2d");
    context.imageSmoothingQuality = "high";
    for (let atom = 0; atom < panel.size; atom++) {
      const x = (atom % cols) * cell;
      const y = Math.floor(atom / cols) * cell;
      if (panel.dead.has(atom)) hatch(context, x, y, cell, dark);
      else if (image && panel.icon_of[atom] >= 0) {
        const { start, side } = tileIn(sized ? panel.sizes[atom] : 1);
        this.tile(
          context,
          panel,
          image,
          panel.icon_of[atom],
          x + start * cell,
          y + start * cell,
          side * cell,
        );
      }
    }
  }

  tile(context, { sheet }, image, tile, x, y, side) {
    const { size, columns } = sheet;
    if (side <= 0) return;
    const left = (tile % columns) * size;
    const top = Math.floor(tile / columns) * size;
    context.drawImage(image, left, top, size, size, x, y, side, side);
  }
}

/** Diagonal lines: nothing answers here. */
function hatch(context, x, y, side, dark) {
  context.save();
  context.beginPath();
  context.rect(x, y, side, side);
  context.clip();
  context.fillStyle = dark ? "#24262a" : "#f3f4f6";
  context.fillRect(x, y, side, side);
  context.strokeStyle = dark ? "#a4a8ae" : "#5f6368";
  context.lineWidth = side / HATCH / 4;
  context.beginPath();
  for (let i = -HATCH; i < HATCH; i += 2) {
    context.moveTo(x + (i * side) / HATCH, y + side);
    context.lineTo(x + (i * side) / HATCH + side, y);
  }
  context.stroke();
  context.restore();
}
