// A picture under a grid of cells, and the cell selector: the heart of every interface.

import { make, place, setAttribute, setText } from "../dom.js";
import { formatValue } from "../format.js";
import { bringInto, cellBox, cellsOver, clamp, pixelsAcross, sameplace, toViewport } from "../geometry.js";
import { Gestures } from "../gestures.js";
import { LENS_ZOOM, Lens } from "../lens.js";
import { Marks } from "../marks.js";
import { Scene } from "../scene.js";
import { Shading } from "../shading.js";
import { Tiles } from "../tiles.js";

/** Draws one grid. */
class Picture {
  constructor({ id, actions, icons }) {
    this.actions = actions;
    this.selected = null;
    this.hovered = null;
    this.there = {};
    this.lit = null;
    this.box = { width: 1, height: 1 };
    this.heading = make("h3", { id: `${id}-title` });
    this.image = make("img", { alt: "", draggable: "false" });
    this.heat = new Shading();
    this.tiles = new Tiles(icons);
    this.marks = new Marks();
    this.lens = new Lens();
    this.hover = make("div", { class: "lx-hover", "aria-hidden": "true" });
    this.same = make("div", { class: "lx-same", "aria-hidden": "true" });
    this.cell = make("div", {
      class: "lx-handle",
      role: "gridcell",
      tabindex: "0",
      id: `${id}-cell`,
    });
    this.cell.append(make("span", { class: "lx-grip", "aria-hidden": "true" }));
    this.row = make("div", { role: "row" }, this.cell);
    this.gridElement = make(
      "div",
      {
        class: "lx-cells",
        role: "grid",
        "aria-labelledby": `${id}-title`,
        "aria-describedby": `${id}-hint`,
      },
      this.row,
    );
    this.world = make("div", { class: "lx-world" }, this.image, this.tiles.canvas, this.heat.canvas);
    this.world.append(this.marks.element);
    this.viewport = make(
      "div",
      { class: "lx-viewport" },
      this.world,
      this.hover,
      this.same,
      this.gridElement,
      this.lens.canvas,
    );
    this.hint = make(
      "p",
      { class: "lx-hint", id: `${id}-hint` },
      "Drag the square, click anywhere, or use the arrow keys. Esc lets go.",
    );
    this.readout = make("output", { class: "lx-readout", "aria-live": "off" });
    this.law = make("p", { class: "lx-law" });
    this.places = make("div", { class: "lx-places" });
    this.note = make("p", { class: "lx-note" });
    this.tools = make("div", { class: "lx-tools" }, this.readout, this.law);
    this.element = make(
      "section",
      { class: "lx-panel lx-picture" },
      this.heading,
      this.viewport,
      this.tools,
      this.places,
      this.hint,
      this.note,
    );
    this.gestures = new Gestures(this);
    this.sizes = new ResizeObserver(([{ contentRect }]) => {
      this.box = { width: contentRect.width || 1, height: contentRect.height || 1 };
      this.drawTiles();
    });
    this.sizes.observe(this.viewport);
  }

  destroy() {
    this.sizes.disconnect();
    this.heat.destroy();
    this.element.remove();
  }

  /** Take a panel, keeping what stays the same. */
  update(panel, { board, scene, several, picture }) {
    const url = picture(panel.picture);
    this.panel = panel;
    this.scene = scene;
    setText(this.heading, panel.title);
    setText(this.note, panel.note);
    if (this.image.src !== url) this.image.src = url;
    this.image.alt = panel.title;
    this.element.classList.toggle("lx-between", panel.between);
    this.element.classList.toggle("lx-small", several && !board.trail);
    this.element.classList.toggle("lx-answering", Boolean(board.trail));
    this.viewport.style.aspectRatio = String(panel.aspect);
    this.marks.update(panel);
    setAttribute(this.gridElement, "aria-rowcount", panel.rows);
    setAttribute(this.gridElement, "aria-colcount", panel.cols);
    this.places.replaceChildren(
      ...Object.entries(panel.places).map(([label, atom]) =>
        make("button", { type: "button", class: "lx-place", onclick: () => this.choose(atom) }, label),
      ),
    );
  }

  /** The cell the reader is at. */
  get last() {
    return this.scene.state.cells[this.panel.name];
  }

  draw(reading) {
    const { selected, hovered } = reading.marked;
    const { rows, cols } = this.panel;
    this.panel = reading.panel;
    this.selected = selected;
    this.hovered = hovered;
    this.there = Object.fromEntries(
      Object.entries(reading.elsewhere).map(([what, box]) => [what, box && cellsOver(box, rows, cols)]),
    );
    this.drawTiles();
    this.light(reading.light);
    this.drawCells();
  }

  /** Draw the cells' pictures, if they or how they are drawn have changed. */
  drawTiles() {
    const { panel, scene } = this;
    if (!panel) return;
    const sized = Boolean(scene.at.sized && panel.sizes);
    const across = pixelsAcross(this.box.width, scene.at.view.scale, window.devicePixelRatio || 1);
    if (panel.tiled) this.tiles.draw(panel, sized, scene.state.dark, across);
    this.heat.fit(across);
    // What cannot be seen is not painted for every frame.
    const gone = sized || (panel.tiled && this.tiles.full);
    this.image.classList.toggle("lx-faint", panel.tiled && !gone);
    this.image.classList.toggle("lx-gone", gone);
    this.tiles.canvas.hidden = !panel.tiled;
    this.printLaw();
  }

  /** Magnify a place of the picture, or nothing for null. */
  drawLens(place) {
    const { view } = this.scene.at;
    if (!place || view.scale >= LENS_ZOOM) return this.lens.hide();
    const layers = [];
    if (!this.image.classList.contains("lx-gone")) {
      layers.push({ source: this.image, faint: this.image.classList.contains("lx-faint") });
    }
    if (this.panel.tiled) layers.push({ source: this.tiles.whole, faint: false });
    const heat = this.heat.lit ? this.heat : null;
    const shown = this.hovered ?? (this.there.hovered ? null : this.selected);
    const cell = shown == null ? null : cellBox(shown, this.panel.rows, this.panel.cols);
    this.lens.show(view, place, this.box, layers, heat, cell ?? this.there.hovered ?? this.there.selected);
  }

  /** The middle of the cell the reader is at, in fractions of the viewport. */
  middle() {
    const at = toViewport(this.scene.at.view, cellBox(this.last, this.panel.rows, this.panel.cols));
    return { x: clamp(at.x + at.width / 2, 0, 1), y: clamp(at.y + at.height / 2, 0, 1) };
  }

  /** Light the cells by a heat's row, {weights, signed, scale, law}; for null by the panel's own values, if any. */
  light(lit) {
    const { panel } = this;
    const own = panel.values && { weights: panel.values, board: this.scene.state.board };
    this.lit = lit;
    this.heat.light(lit ?? own ?? null, panel.rows, panel.cols);
    this.printLaw();
  }

  /** The law of what is lit, else the panel's own, which may be that of the sizes of tiles. */
  printLaw() {
    const { panel, lit } = this;
    const { most } = this.heat;
    const clear = most
      ? `clear at ${lit?.signed ? "\u00b1" : ""}${formatValue(most, "number")}`
      : "none anywhere";
    const law = lit?.law && `${lit.law}, ${clear}`;
    setText(this.law, law || panel.law);
    this.law.classList.toggle("lx-off", !law && Boolean(panel.sizes) && !this.scene.at.sized);
  }

  choose(atom) {
    this.used();
    this.scene.work(this);
    this.actions.select(atom);
    this.scene.setView(bringInto(this.scene.at.view, cellBox(atom, this.panel.rows, this.panel.cols)));
  }

  /** Choose by a key: the lens, which otherwise follows the pointer, comes along. */
  step(atom) {
    this.choose(atom);
    const box = cellBox(atom, this.panel.rows, this.panel.cols);
    this.scene.point({ x: box.x + box.width / 2, y: box.y + box.height / 2 });
  }

  drawView() {
    const { scale, x, y } = this.scene.at.view;
    this.world.style.transform = `scale(${scale}) translate(${-100 * x}%, ${-100 * y}%)`;
    this.world.style.setProperty("--zoom", scale); // marks keep their size
    this.viewport.classList.toggle("lx-zoomed", scale > 1);
    this.drawTiles();
    this.drawCells();
  }

  /** Draw the squares around cells, and say which they are. */
  drawCells() {
    const { panel } = this;
    if (!panel) return;
    const lay = (element, box) => {
      element.classList.toggle("lx-on", box != null);
      if (box) place(element, toViewport(this.scene.at.view, box));
    };
    const box = (atom) => cellBox(atom, panel.rows, panel.cols);
    const { cell, last } = this;
    place(cell, toViewport(this.scene.at.view, box(last)));
    cell.classList.toggle("lx-loose", this.selected == null);
    cell.classList.toggle("lx-resting", this.there.selected != null);
    this.element.classList.toggle("lx-current", this.selected != null);
    setAttribute(cell, "aria-selected", this.selected != null);
    setAttribute(cell, "aria-label", label(panel, last));
    setAttribute(cell, "aria-colindex", (last % panel.cols) + 1);
    setAttribute(this.row, "aria-rowindex", Math.floor(last / panel.cols) + 1);
    const other = this.hovered != null && this.hovered !== this.selected;
    lay(this.hover, other ? box(this.hovered) : (this.there.hovered ?? null));
    lay(this.same, this.there.selected ?? null);
    const shown = this.hovered ?? this.selected ?? (this.there.selected ? last : null);
    let state = shown == null ? "No cell selected" : label(panel, shown);
    const { lit } = this.heat;
    if (shown != null && lit) state += `: ${formatValue(lit.weights[shown], "number", lit.signed)}`;
    setText(this.readout, state.charAt(0).toUpperCase() + state.slice(1));
  }

  /** The hint has done its work once the reader has moved the selection. */
  used() {
    this.hint.classList.add("lx-used");
  }

  letGo() {
    this.actions.unselect();
    this.scene.point(null);
  }
}

function label(panel, atom) {
  const dead = panel.dead.has(atom) ? " (dead)" : "";
  return `row ${Math.floor(atom / panel.cols)}, column ${atom % panel.cols}${dead}`;
}

export const grid = {
  kind: "grid",
  View: Picture,
  Scene,
  label,
  decode: (spec) => ({ ...spec, dead: new Set(spec.dead), size: spec.rows * spec.cols }),
  region: () => "pictures",
  carry: sameplace,
  box: (panel, atom) => cellBox(atom, panel.rows, panel.cols),
};
