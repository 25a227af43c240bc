// A picture under a grid of cells, and the cell selector: the heart of every interface.

import { labelOf } from "./data.js";
import { make, place, setAttribute, setText } from "./dom.js";
import {
  bringInto,
  cellAfterKey,
  cellAt,
  cellBox,
  clamp,
  panBy,
  toPicture,
  toViewport,
  WHOLE,
  zoomAt,
} from "./geometry.js";

const WHEEL_ZOOM = 1.2;
const BUTTON_ZOOM = 1.5;
const PAN_STEP = 0.15; // of the viewport, by Shift and an arrow key
const TAP_SLOP = 6; // pixels a finger may move and still have tapped

/**
 * Draws one grid panel. `actions` is told what the reader does: hover(atom | null), select(atom),
 * unselect().
 */
export class Picture {
  constructor(id, actions) {
    this.actions = actions;
    this.view = WHOLE;
    this.selected = null;
    this.hovered = null;
    this.last = 0;
    this.pointers = new Map();
    this.heading = make("h3", { id: `${id}-title` });
    this.image = make("img", { alt: "", draggable: "false" });
    this.heat = make("canvas", { class: "lx-heat", "aria-hidden": "true" });
    this.hover = make("div", { class: "lx-hover", "aria-hidden": "true" });
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
    this.world = make("div", { class: "lx-world" }, this.image, this.heat);
    this.viewport = make("div", { class: "lx-viewport" }, this.world, this.hover, this.gridElement);
    this.hint = make(
      "p",
      { class: "lx-hint", id: `${id}-hint` },
      "Drag the square, click anywhere, or use the arrow keys. Esc lets go.",
    );
    this.readout = make("output", { class: "lx-readout", "aria-live": "off" });
    this.zoomLevel = make("span", { class: "lx-zoom-level" });
    this.zoomOut = this.button("\u2212", "Zoom out (minus key)", () => this.zoom(1 / BUTTON_ZOOM));
    this.zoomIn = this.button("+", "Zoom in (plus key)", () => this.zoom(BUTTON_ZOOM));
    this.zoomReset = this.button("Reset", "Show the whole picture (0 key)", () => this.setView(WHOLE));
    this.places = make("div", { class: "lx-places" });
    this.note = make("p", { class: "lx-note" });
    this.element = make(
      "section",
      { class: "lx-panel lx-picture" },
      this.heading,
      this.viewport,
      make(
        "div",
        { class: "lx-tools" },
        this.readout,
        make(
          "div",
          { class: "lx-zoom", role: "group", "aria-label": "Zoom" },
          this.zoomOut,
          this.zoomLevel,
          this.zoomIn,
          this.zoomReset,
        ),
      ),
      this.places,
      this.hint,
      this.note,
    );
    this.listen();
  }

  button(text, label, onclick) {
    return make("button", { type: "button", "aria-label": label, title: label, onclick }, text);
  }

  /** Take a panel's spec, keeping what stays the same; `url` is its picture. */
  update(panel, url) {
    this.panel = panel;
    setText(this.heading, panel.title);
    setText(this.note, panel.note);
    if (this.image.src !== url) this.image.src = url;
    this.image.alt = panel.title;
    this.viewport.style.aspectRatio = String(panel.aspect);
    setAttribute(this.gridElement, "aria-rowcount", panel.rows);
    setAttribute(this.gridElement, "aria-colcount", panel.cols);
    this.places.replaceChildren(
      ...Object.entries(panel.places).map(([label, atom]) =>
        make("button", { type: "button", class: "lx-place", onclick: () => this.choose(atom) }, label),
      ),
    );
    this.last = clamp(this.last, 0, panel.size - 1);
    this.setView(this.view);
  }

  /** Show which cell is selected and which is hovered; null for none. */
  mark(selected, hovered) {
    this.selected = selected;
    this.hovered = hovered;
    this.last = selected ?? hovered ?? this.last;
    this.draw();
  }

  /** Light the cells by weight (not negative), or show the plain picture for null. */
  light(weights) {
    const { rows, cols } = this.panel;
    this.heat.classList.toggle("lx-on", weights != null);
    if (!weights) return;
    if (this.heat.width !== cols || this.heat.height !== rows) {
      this.heat.width = cols;
      this.heat.height = rows;
    }
    const most = weights.reduce((a, b) => Math.max(a, b), 0) || 1;
    const shade = new ImageData(cols, rows);
    // What the unit does not answer to is dimmed; what it answers to keeps its own colours.
    for (let i = 0; i < weights.length; i++) shade.data[4 * i + 3] = 215 * (1 - weights[i] / most);
    this.heat.getContext("2d").putImageData(shade, 0, 0);
  }

  choose(atom) {
    this.used();
    this.actions.select(atom);
    this.setView(bringInto(this.view, cellBox(atom, this.panel.rows, this.panel.cols)));
  }

  zoom(factor) {
    const box = cellBox(this.last, this.panel.rows, this.panel.cols);
    const at = toViewport(this.view, box);
    const x = clamp(at.x + at.width / 2, 0, 1);
    const y = clamp(at.y + at.height / 2, 0, 1);
    this.setView(zoomAt(this.view, factor, x, y));
  }

  setView(view) {
    this.view = view;
    const { scale, x, y } = view;
    this.world.style.transform = `scale(${scale}) translate(${-100 * x}%, ${-100 * y}%)`;
    this.viewport.classList.toggle("lx-zoomed", scale > 1);
    setText(this.zoomLevel, `${Math.round(100 * scale)}%`);
    this.zoomOut.disabled = scale <= 1;
    this.zoomReset.disabled = scale <= 1;
    this.draw();
  }

  draw() {
    const { panel } = this;
    if (!panel) return;
    const box = (atom) => toViewport(this.view, cellBox(atom, panel.rows, panel.cols));
    const { cell, last } = this;
    place(cell, box(last));
    cell.classList.toggle("lx-loose", this.selected == null);
    setAttribute(cell, "aria-selected", this.selected != null);
    setAttribute(cell, "aria-label", labelOf(panel, last));
    setAttribute(cell, "aria-colindex", (last % panel.cols) + 1);
    setAttribute(this.row, "aria-rowindex", Math.floor(last / panel.cols) + 1);
    const other = this.hovered != null && this.hovered !== this.selected;
    this.hover.classList.toggle("lx-on", other);
    if (other) place(this.hover, box(this.hovered));
    const shown = this.hovered ?? this.selected;
    const state = shown == null ? "No cell selected" : labelOf(panel, shown);
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

  atomUnder(event) {
    const at = this.fractions(event);
    const { x, y } = toPicture(this.view, at.x, at.y);
    return cellAt(x, y, this.panel.rows, this.panel.cols);
  }

  listen() {
    const on = (type, handler, options) => this.viewport.addEventListener(type, handler, options);
    on("pointerdown", (event) => this.pressed(event));
    on("pointermove", (event) => this.moved(event));
    on("pointerup", (event) => this.released(event));
    on("pointercancel", (event) => this.forget(event));
    on("pointerleave", () => this.actions.hover(null));
    on("wheel", (event) => this.wheeled(event), { passive: false });
    this.cell.addEventListener("keydown", (event) => this.typed(event));
  }

  pressed(event) {
    if (event.button > 0) return;
    const onHandle = this.cell.contains(event.target);
    const start = { x: event.clientX, y: event.clientY };
    // A finger outside the handle may be scrolling the page: it selects only if it taps.
    const drags = onHandle || (event.pointerType !== "touch" && this.view.scale === 1);
    this.pointers.set(event.pointerId, { start, last: start, drags, slid: false });
    if (this.pointers.size === 1 && event.pointerType === "touch" && !drags && this.view.scale === 1) return;
    this.viewport.setPointerCapture(event.pointerId);
    if (drags) {
      event.preventDefault();
      this.cell.focus({ preventScroll: true });
      // The handle reaches over small cells next to it: a mouse means the one it points at.
      if (event.pointerType !== "touch") this.choose(this.atomUnder(event));
    }
  }

  moved(event) {
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) {
      if (event.pointerType !== "touch") this.actions.hover(this.atomUnder(event));
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
    } else if (this.view.scale > 1 && pointer.slid) {
      const box = this.viewport.getBoundingClientRect();
      const dx = (event.clientX - before.x) / box.width;
      const dy = (event.clientY - before.y) / box.height;
      this.setView(panBy(this.view, dx, dy));
    }
  }

  pinched(moving, before) {
    const [other] = [...this.pointers].filter(([id]) => id !== moving).map(([, p]) => p.last);
    const now = this.pointers.get(moving).last;
    const span = (p) => Math.max(1, Math.hypot(p.x - other.x, p.y - other.y));
    const middle = this.fractions({ clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 });
    this.setView(zoomAt(this.view, span(now) / span(before), middle.x, middle.y));
  }

  released(event) {
    const pointer = this.pointers.get(event.pointerId);
    const tapped = pointer && !pointer.slid && this.pointers.size === 1;
    this.forget(event);
    if (tapped) {
      this.cell.focus({ preventScroll: true });
      this.choose(this.atomUnder(event));
    }
  }

  forget(event) {
    this.pointers.delete(event.pointerId);
  }

  wheeled(event) {
    // Scrolling past the picture must stay possible: zoom only where the reader is at work.
    const root = this.viewport.getRootNode();
    const atWork = this.element.contains(root.activeElement) || event.ctrlKey || event.metaKey;
    const factor = event.deltaY < 0 ? WHEEL_ZOOM : 1 / WHEEL_ZOOM;
    if (!atWork || (factor < 1 && this.view.scale === 1)) return;
    event.preventDefault();
    const { x, y } = this.fractions(event);
    this.setView(zoomAt(this.view, factor, x, y));
  }

  typed(event) {
    const { rows, cols } = this.panel;
    const arrows = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const pan = event.shiftKey && arrows[event.key];
    const next = pan ? null : cellAfterKey(this.last, event.key, rows, cols, event.ctrlKey || event.metaKey);
    if (pan) this.setView(panBy(this.view, PAN_STEP * pan[0], PAN_STEP * pan[1]));
    else if (next != null) this.choose(next);
    else if (event.key === "Enter" || event.key === " ") this.choose(this.hovered ?? this.last);
    else if (event.key === "Escape") this.actions.unselect();
    else if (event.key === "+" || event.key === "=") this.zoom(BUTTON_ZOOM);
    else if (event.key === "-") this.zoom(1 / BUTTON_ZOOM);
    else if (event.key === "0") this.setView(WHOLE);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
