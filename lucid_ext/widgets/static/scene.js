// What the pictures of one scene share: the zoom, the lens, whether tiles are sized, and the tools for them.

import { make, setAttribute, setText } from "./dom.js";
import { panBy, WHOLE, zoomAt } from "./geometry.js";

const BUTTON_ZOOM = 1.5;

/** A scene; its pictures join it and are told to draw when it changes. How it stands is `at`, in the state. */
export class Scene {
  constructor(name, state) {
    this.name = name;
    this.state = state;
    this.pictures = [];
    this.level = make("span", { class: "lx-zoom-level" });
    this.zoomOut = button("\u2212", "Zoom out (minus key)", () => this.zoom(1 / BUTTON_ZOOM));
    this.zoomIn = button("+", "Zoom in (plus key)", () => this.zoom(BUTTON_ZOOM));
    this.reset = button("Reset", "Show the whole picture (0 key)", () => this.setView(WHOLE));
    this.zoomTools = group("Zoom", "lx-zoom", this.zoomOut, this.level, this.zoomIn, this.reset);
    this.lensButton = button("Lens", "Magnify the same place in every picture (L key)", () =>
      this.toggleLens(),
    );
    this.equal = button("Equal", "Tiles of equal size", () => this.setSized(false));
    this.bySize = button("Sized", "Tiles sized by strength (S key)", () => this.setSized(true));
    this.sizeTools = group("Size of tiles", "lx-sizes", make("span", {}, "Tiles "), this.equal, this.bySize);
    this.tools = make("div", { class: "lx-scene" }, this.zoomTools, this.lensButton, this.sizeTools);
  }

  get at() {
    return this.state.scenes.get(this.name);
  }

  /** The picture the reader was last at work in. */
  get active() {
    const name = this.state.active.get(this.name);
    return this.pictures.find(({ panel }) => panel.name === name) ?? this.pictures[0];
  }

  /** The reader is at work in a picture. */
  work(picture) {
    this.state.active.set(this.name, picture.panel.name);
  }

  /** Take the pictures that belong to it now. Tools that several share stand above them all, in `head`. */
  gather(pictures, head) {
    this.pictures = pictures;
    this.several = pictures.length > 1;
    this.lensButton.hidden = !this.several && !pictures.some((p) => p.panel.tiled);
    this.sizeTools.hidden = !pictures.some((p) => p.panel.sizes);
    this.lens = !this.lensButton.hidden;
    this.setSized(this.at.sized && !this.sizeTools.hidden);
    this.setView(this.at.view);
    this.point(null);
    (this.several ? head : pictures[0].tools).append(this.tools);
  }

  setView(view) {
    this.at.view = view;
    setText(this.level, `${Math.round(100 * view.scale)}%`);
    this.zoomOut.disabled = this.reset.disabled = view.scale <= 1;
    for (const picture of this.pictures) picture.drawView();
    this.drawLens();
  }

  zoomAbout(factor, x, y) {
    this.setView(zoomAt(this.at.view, factor, x, y));
  }

  /** Zoom about the middle of the cell the reader is at. */
  zoom(factor) {
    const { x, y } = this.active.middle();
    this.zoomAbout(factor, x, y);
  }

  pan(dx, dy) {
    this.setView(panBy(this.at.view, dx, dy));
  }

  setSized(sized) {
    this.at.sized = sized;
    setAttribute(this.equal, "aria-pressed", !sized);
    setAttribute(this.bySize, "aria-pressed", sized);
    for (const picture of this.pictures) picture.drawTiles();
    this.drawLens();
  }

  toggleLens() {
    this.at.lens = !this.at.lens;
    this.drawLens();
  }

  /** Put the lens over a place of the picture, {x, y}, or take it away. */
  point(place) {
    if (!this.lens && place) return;
    this.at.place = place;
    this.drawLens();
  }

  /** A picture that was awaited can be drawn. */
  draw() {
    this.drawLens();
  }

  /** Once per frame, however many events come. */
  drawLens() {
    setAttribute(this.lensButton, "aria-pressed", this.at.lens);
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      for (const picture of this.pictures) picture.drawLens(this.at.lens ? this.at.place : null);
    });
  }

  destroy() {
    cancelAnimationFrame(this.frame);
  }
}

function button(text, label, onclick) {
  return make("button", { type: "button", "aria-label": label, title: label, onclick }, text);
}

function group(label, name, ...children) {
  return make("div", { class: name, role: "group", "aria-label": label }, ...children);
}
