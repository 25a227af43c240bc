// What pointers, the wheel and keys do in a picture.

import { cellAfterKey, cellAt, toPicture, WHOLE } from "./geometry.js";

const WHEEL_ZOOM = 1.2;
const KEY_ZOOM = 1.5;
const PAN_STEP = 0.15; // of the viewport, by Shift and an arrow key
const TAP_SLOP = 6; // pixels a finger may move and still have tapped

/** Listens in a picture's viewport, and to the keys of its cell. */
export class Gestures {
  constructor(picture) {
    this.picture = picture;
    this.pointers = new Map(); // those that are down
    const { viewport, cell } = picture;
    viewport.addEventListener("pointerdown", (event) => this.pressed(event));
    viewport.addEventListener("pointermove", (event) => this.moved(event));
    viewport.addEventListener("pointerup", (event) => this.released(event));
    viewport.addEventListener("pointercancel", (event) => this.forget(event));
    viewport.addEventListener("pointerleave", (event) => this.left(event));
    viewport.addEventListener("wheel", (event) => this.wheeled(event), { passive: false });
    cell.addEventListener("keydown", (event) => this.typed(event));
    cell.addEventListener("blur", () => this.scene.point(null));
  }

  get scene() {
    return this.picture.scene;
  }

  /** Where a pointer is, as fractions of the viewport's real box, whatever scales it. */
  fractions(event) {
    const box = this.picture.viewport.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  }

  placeUnder(event) {
    const at = this.fractions(event);
    return toPicture(this.scene.at.view, at.x, at.y);
  }

  atomUnder(event) {
    return this.atomAt(this.placeUnder(event));
  }

  atomAt({ x, y }) {
    const { rows, cols } = this.picture.panel;
    return cellAt(x, y, rows, cols);
  }

  left(event) {
    this.picture.actions.hover(null);
    if (event.pointerType !== "touch") this.scene.point(null);
  }

  pressed(event) {
    if (event.button > 0) return;
    const onHandle = this.picture.cell.contains(event.target);
    const start = { x: event.clientX, y: event.clientY };
    // A finger outside the handle may be scrolling the page: it selects only if it taps.
    const drags = onHandle || (event.pointerType !== "touch" && this.scene.at.view.scale === 1);
    this.pointers.set(event.pointerId, { start, last: start, drags, slid: false });
    if (this.pointers.size === 1 && event.pointerType === "touch" && !drags && this.scene.at.view.scale === 1)
      return;
    this.picture.viewport.setPointerCapture(event.pointerId);
    if (drags || event.pointerType !== "touch") {
      event.preventDefault();
      this.picture.cell.focus({ preventScroll: true });
    }
    if (drags) {
      // The handle reaches over small cells next to it: a mouse means the one it points at.
      if (event.pointerType !== "touch") this.picture.choose(this.atomUnder(event));
    }
  }

  moved(event) {
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) {
      if (event.pointerType === "touch") return;
      const place = this.placeUnder(event); // asked of the browser before anything is drawn, or it lays out twice
      this.picture.actions.hover(this.atomAt(place));
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
      if (atom !== this.picture.selected) this.picture.choose(atom);
      this.scene.point(this.placeUnder(event));
    } else if (this.scene.at.view.scale > 1 && pointer.slid) {
      const box = this.picture.viewport.getBoundingClientRect();
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
      const again =
        event.pointerType === "touch" && atom === this.picture.selected && this.scene.at.place != null;
      this.picture.cell.focus({ preventScroll: true });
      this.picture.choose(atom);
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
    const { activeElement } = this.picture.viewport.getRootNode();
    const here = this.scene.pictures.some((picture) => picture.element.contains(activeElement));
    const atWork = here || this.scene.tools.contains(activeElement) || event.ctrlKey || event.metaKey;
    const factor = event.deltaY < 0 ? WHEEL_ZOOM : 1 / WHEEL_ZOOM;
    if (!atWork || (factor < 1 && this.scene.at.view.scale === 1)) return;
    event.preventDefault();
    const { x, y } = this.fractions(event);
    this.scene.work(this.picture);
    this.scene.zoomAbout(factor, x, y);
    if (this.scene.at.place) this.scene.point(this.placeUnder(event));
  }

  typed(event) {
    const { panel, last, hovered } = this.picture;
    const arrows = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const pan = event.shiftKey && arrows[event.key];
    const far = event.ctrlKey || event.metaKey;
    const next = pan ? null : cellAfterKey(last, event.key, panel.rows, panel.cols, far);
    this.scene.work(this.picture);
    if (pan) this.scene.pan(PAN_STEP * pan[0], PAN_STEP * pan[1]);
    else if (next != null) this.picture.step(next);
    else if (event.key === "Enter" || event.key === " ") this.picture.step(hovered ?? last);
    else if (event.key === "Escape") this.picture.letGo();
    else if (event.key === "+" || event.key === "=") this.scene.zoom(KEY_ZOOM);
    else if (event.key === "-") this.scene.zoom(1 / KEY_ZOOM);
    else if (event.key === "0") this.scene.setView(WHOLE);
    else if (event.key === "l" && this.scene.lens) this.scene.toggleLens();
    else if (event.key === "s" && panel.sizes) this.scene.setSized(!this.scene.at.sized);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
