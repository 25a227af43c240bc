// A picture under a grid of cells, and the cell selector: the heart of every interface.

import { formatValue, labelOf } from "./data.js";
import { make, place, setAttribute, setText } from "./dom.js";
import {
  bringInto,
  cellAfterKey,
  cellAt,
  cellBox,
  cellsOver,
  clamp,
  pixelsAcross,
  toPicture,
  toViewport,
  WHOLE,
} from "./geometry.js";
import { Heat } from "./heat.js";
import { LENS_ZOOM, Lens } from "./lens.js";
import { Marks } from "./marks.js";
import { Tiles } from "./tiles.js";

const WHEEL_ZOOM = 1.2;
const KEY_ZOOM = 1.5;
const PAN_STEP = 0.15; // of the viewport, by Shift and an arrow key
const EDGE = 1e-9; // a centre on an edge belongs to the cell after it
const TAP_SLOP = 6; // pixels a finger may move and still have tapped

/**
 * Draws one grid panel. `actions` is told what the reader does: hover(atom | null), select(atom), unselect();
 * `sheets` decodes the pictures of cells.
 */
export class Picture {
  constructor(id, actions, sheets) {
    this.actions = actions;
    this.selected = null;
    this.hovered = null;
    this.there = {};
    this.last = 0;
    this.lit = null;
    this.box = { width: 1, height: 1 };
    this.pointers = new Map();
    this.heading = make("h3", { id: `${id}-title` });
    this.image = make("img", { alt: "", draggable: "false" });
    this.heat = new Heat();
    this.tiles = new Tiles(sheets);
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
    this.listen();
  }

  destroy() {
    this.sizes.disconnect();
    this.heat.destroy();
    this.element.remove();
  }

  /** Take a panel's spec, keeping what stays the same; `url` is its picture, `scene` what it is part of. */
  update(panel, url, scene) {
    this.panel = panel;
    this.scene = scene;
    setText(this.heading, panel.title);
    setText(this.note, panel.note);
    if (this.image.src !== url) this.image.src = url;
    this.image.alt = panel.title;
    this.element.classList.toggle("lx-between", panel.between);
    this.viewport.style.aspectRatio = String(panel.aspect);
    this.marks.update(panel);
    setAttribute(this.gridElement, "aria-rowcount", panel.rows);
    setAttribute(this.gridElement, "aria-colcount", panel.cols);
    this.places.replaceChildren(
      ...Object.entries(panel.places).map(([label, atom]) =>
        make("button", { type: "button", class: "lx-place", onclick: () => this.choose(atom) }, label),
      ),
    );
    this.last = clamp(this.last, 0, panel.size - 1);
  }

  /**
   * Show which cell is {selected, hovered}, null for none; `there` are the boxes of such cells of another picture of
   * the scene.
   */
  mark({ selected, hovered }, there) {
    const { rows, cols } = this.panel;
    this.selected = selected;
    this.hovered = hovered;
    this.there = Object.fromEntries(
      Object.entries(there).map(([what, box]) => [what, box && cellsOver(box, rows, cols)]),
    );
    const box = there.selected;
    const same = box && cellAt(box.x + box.width / 2 + EDGE, box.y + box.height / 2 + EDGE, rows, cols);
    this.last = selected ?? same ?? hovered ?? this.last;
  }

  /** Draw the cells' pictures, if they or how they are drawn have changed. */
  drawTiles() {
    const { panel, scene } = this;
    if (!panel) return;
    const sized = Boolean(scene.sized && panel.sizes);
    const across = pixelsAcross(this.box.width, scene.view.scale, window.devicePixelRatio || 1);
    if (panel.tiled) this.tiles.draw(panel, sized, scene.dark, across);
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
    const { view } = this.scene;
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
    const at = toViewport(this.scene.view, cellBox(this.last, this.panel.rows, this.panel.cols));
    return { x: clamp(at.x + at.width / 2, 0, 1), y: clamp(at.y + at.height / 2, 0, 1) };
  }

  /** Show which cells are marked, as in `mark`, and how they are lit, as in `light`. */
  show(marked, there, lit) {
    this.mark(marked, there);
    this.drawTiles();
    this.light(lit);
    this.draw();
  }

  /** Light the cells by a heat's row, {weights, signed, scale, law}; for null by the panel's own values, if any. */
  light(lit) {
    const { panel } = this;
    const own = panel.values && { weights: panel.values, board: panel };
    this.lit = lit;
    this.heat.light(lit ?? own ?? null, panel.rows, panel.cols);
    this.printLaw();
  }

  /** The law of what is lit, else the panel's own, which may be that of the sizes of tiles. */
  printLaw() {
    const { panel, lit } = this;
    const printed = formatValue(this.heat.scale, "number");
    const law = lit?.law && `${lit.law}, clear at ${lit.signed ? "\u00b1" : ""}${printed}`;
    setText(this.law, law || panel.law);
    this.law.classList.toggle("lx-off", !law && Boolean(panel.sizes) && !this.scene.sized);
  }

  choose(atom) {
    this.used();
    this.scene.active = this;
    this.actions.select(atom);
    this.scene.setView(bringInto(this.scene.view, cellBox(atom, this.panel.rows, this.panel.cols)));
  }

  /** Choose by a key: the lens, which otherwise follows the pointer, comes along. */
  step(atom) {
    this.choose(atom);
    const box = cellBox(atom, this.panel.rows, this.panel.cols);
    this.scene.point({ x: box.x + box.width / 2, y: box.y + box.height / 2 });
  }

  drawView() {
    const { scale, x, y } = this.scene.view;
    this.world.style.transform = `scale(${scale}) translate(${-100 * x}%, ${-100 * y}%)`;
    this.world.style.setProperty("--zoom", scale); // marks keep their size
    this.viewport.classList.toggle("lx-zoomed", scale > 1);
    this.drawTiles();
    this.draw();
  }

  draw() {
    const { panel } = this;
    if (!panel) return;
    const lay = (element, box) => {
      element.classList.toggle("lx-on", box != null);
      if (box) place(element, toViewport(this.scene.view, box));
    };
    const box = (atom) => cellBox(atom, panel.rows, panel.cols);
    const { cell, last } = this;
    place(cell, toViewport(this.scene.view, box(last)));
    cell.classList.toggle("lx-loose", this.selected == null);
    cell.classList.toggle("lx-resting", this.there.selected != null);
    this.element.classList.toggle("lx-current", this.selected != null);
    setAttribute(cell, "aria-selected", this.selected != null);
    setAttribute(cell, "aria-label", labelOf(panel, last));
    setAttribute(cell, "aria-colindex", (last % panel.cols) + 1);
    setAttribute(this.row, "aria-rowindex", Math.floor(last / panel.cols) + 1);
    const other = this.hovered != null && this.hovered !== this.selected;
    lay(this.hover, other ? box(this.hovered) : (this.there.hovered ?? null));
    lay(this.same, this.there.selected ?? null);
    const shown = this.hovered ?? this.selected ?? (this.there.selected ? last : null);
    let state = shown == null ? "No cell selected" : labelOf(panel, shown);
    const { lit } = this.heat;
    if (shown != null && lit) state += `: ${formatValue(lit.weights[shown], "number", lit.signed)}`;
    setText(this.readout, state.charAt(0).toUpperCase() + state.slice(1));
  }

  /** The hint has done its work once the reader has moved the selection. */
  used() {
    this.hint.classList.add("lx-used");
  }

  /** Where a pointer is, as fractions of the viewport's real box, whatever scales it. */
  fractions(event) {
    const box = this.viewport.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  }

  placeUnder(event) {
    const at = this.fractions(event);
    return toPicture(this.scene.view, at.x, at.y);
  }

  atomUnder(event) {
    return this.atomAt(this.placeUnder(event));
  }

  atomAt({ x, y }) {
    return cellAt(x, y, this.panel.rows, this.panel.cols);
  }

  listen() {
    const on = (type, handler, options) => this.viewport.addEventListener(type, handler, options);
    on("pointerdown", (event) => this.pressed(event));
    on("pointermove", (event) => this.moved(event));
    on("pointerup", (event) => this.released(event));
    on("pointercancel", (event) => this.forget(event));
    on("pointerleave", (event) => this.left(event));
    on("wheel", (event) => this.wheeled(event), { passive: false });
    this.cell.addEventListener("keydown", (event) => this.typed(event));
    this.cell.addEventListener("blur", () => this.scene.point(null));
    this.sizes = new ResizeObserver(([{ contentRect }]) => {
      this.box = { width: contentRect.width || 1, height: contentRect.height || 1 };
      this.drawTiles();
    });
    this.sizes.observe(this.viewport);
  }

  left(event) {
    this.actions.hover(null);
    if (event.pointerType !== "touch") this.scene.point(null);
  }

  pressed(event) {
    if (event.button > 0) return;
    const onHandle = this.cell.contains(event.target);
    const start = { x: event.clientX, y: event.clientY };
    // A finger outside the handle may be scrolling the page: it selects only if it taps.
    const drags = onHandle || (event.pointerType !== "touch" && this.scene.view.scale === 1);
    this.pointers.set(event.pointerId, { start, last: start, drags, slid: false });
    if (this.pointers.size === 1 && event.pointerType === "touch" && !drags && this.scene.view.scale === 1)
      return;
    this.viewport.setPointerCapture(event.pointerId);
    if (drags || event.pointerType !== "touch") {
      event.preventDefault();
      this.cell.focus({ preventScroll: true });
    }
    if (drags) {
      // The handle reaches over small cells next to it: a mouse means the one it points at.
      if (event.pointerType !== "touch") this.choose(this.atomUnder(event));
    }
  }

  moved(event) {
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) {
      if (event.pointerType === "touch") return;
      const place = this.placeUnder(event); // asked of the browser before anything is drawn, or it lays out twice
      this.actions.hover(this.atomAt(place));
      this.scene.point(place);
      return;
    }
    const before = pointer.last;
    pointer.last = { x: event.clientX, y: event.clientY };
    const { start } = pointer;
    pointer.slid ||= Math.hypot(event.clientX - start.x, event.clientY - start.y) > TAP_SLOP;
    if (this.pointers.size === 2) {
      this.pinched(event.pointerId, before);
    } else if (pointer.drags) {
      const atom = this.atomUnder(event);
      if (atom !== this.selected) this.choose(atom);
      this.scene.point(this.placeUnder(event));
    } else if (this.scene.view.scale > 1 && pointer.slid) {
      const box = this.viewport.getBoundingClientRect();
      const dx = (event.clientX - before.x) / box.width;
      const dy = (event.clientY - before.y) / box.height;
      this.scene.pan(dx, dy);
    }
  }

  pinched(moving, before) {
    const [other] = [...this.pointers].filter(([id]) => id !== moving).map(([, p]) => p.last);
    const now = this.pointers.get(moving).last;
    const span = (p) => Math.max(1, Math.hypot(p.x - other.x, p.y - other.y));
    const middle = this.fractions({ clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 });
    this.scene.zoomAbout(span(now) / span(before), middle.x, middle.y);
  }

  released(event) {
    const pointer = this.pointers.get(event.pointerId);
    const tapped = pointer && !pointer.slid && this.pointers.size === 1;
    this.forget(event);
    if (tapped) {
      const atom = this.atomUnder(event);
      const again = event.pointerType === "touch" && atom === this.selected && this.scene.place != null;
      this.cell.focus({ preventScroll: true });
      this.choose(atom);
      this.scene.point(again ? null : this.placeUnder(event));
    } else if (event.pointerType === "touch") {
      this.scene.point(null);
    }
  }

  forget(event) {
    this.pointers.delete(event.pointerId);
  }

  wheeled(event) {
    // Scrolling past the picture must stay possible: zoom only where the reader is at work.
    const { activeElement } = this.viewport.getRootNode();
    const here = this.scene.pictures.some((picture) => picture.element.contains(activeElement));
    const atWork = here || this.scene.tools.contains(activeElement) || event.ctrlKey || event.metaKey;
    const factor = event.deltaY < 0 ? WHEEL_ZOOM : 1 / WHEEL_ZOOM;
    if (!atWork || (factor < 1 && this.scene.view.scale === 1)) return;
    event.preventDefault();
    const { x, y } = this.fractions(event);
    this.scene.active = this;
    this.scene.zoomAbout(factor, x, y);
    if (this.scene.place) this.scene.point(this.placeUnder(event));
  }

  typed(event) {
    const { rows, cols } = this.panel;
    const arrows = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const pan = event.shiftKey && arrows[event.key];
    const next = pan ? null : cellAfterKey(this.last, event.key, rows, cols, event.ctrlKey || event.metaKey);
    this.scene.active = this;
    if (pan) this.scene.pan(PAN_STEP * pan[0], PAN_STEP * pan[1]);
    else if (next != null) this.step(next);
    else if (event.key === "Enter" || event.key === " ") this.step(this.hovered ?? this.last);
    else if (event.key === "Escape") this.letGo();
    else if (event.key === "+" || event.key === "=") this.scene.zoom(KEY_ZOOM);
    else if (event.key === "-") this.scene.zoom(1 / KEY_ZOOM);
    else if (event.key === "0") this.scene.setView(WHOLE);
    else if (event.key === "l" && this.scene.lens) this.scene.toggleLens();
    else if (event.key === "s" && this.panel.sizes) this.scene.setSized(!this.scene.sized);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  letGo() {
    this.actions.unselect();
    this.scene.point(null);
  }
}
