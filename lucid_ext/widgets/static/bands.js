// The bands of a flow: signed, each with the part of it that is on the selected paths.

import { setAttribute, setText } from "./dom.js";
import { bandOutline } from "./sankey.js";

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";
const ROOM_FOR_SIGN = 11; // pixels of a band that has room for its sign

/** Draws bands over a stage. `actions`: point(nodes | null), pick(nodes), told of a band by its two ends. */
export class Bands {
  constructor(id, actions) {
    this.id = id;
    this.actions = actions;
    this.drawn = new Map(); // key -> {group, path, part, sign, share}
    this.back = makeSvg("g", {});
    this.front = makeSvg("g", {});
    this.element = makeSvg(
      "svg",
      { class: "lx-bands", "aria-hidden": "true" },
      this.stripes(),
      this.back,
      this.front,
    );
  }

  /** The pattern of what speaks against: stripes, for who does not see the colour. */
  stripes() {
    const line = makeSvg("rect", { width: 3, height: 6, class: "lx-stripe" });
    const attributes = {
      width: 6,
      height: 6,
      patternUnits: "userSpaceOnUse",
      patternTransform: "rotate(45)",
    };
    return makeSvg("defs", {}, makeSvg("pattern", { id: `${this.id}-stripes`, ...attributes }, line));
  }

  /** A sample of a sign, for a legend. */
  swatch(sign) {
    const box = { x: 1, y: 1, width: 26, height: 10 };
    const rect = makeSvg("rect", { class: "lx-band-fill", ...box, ...this.look(sign) });
    return makeSvg("svg", { "aria-hidden": "true" }, rect);
  }

  look(value) {
    return value > 0 ? { "data-sign": "for" } : { "data-sign": "against", fill: `url(#${this.id}-stripes)` };
  }

  /** Draw these bands and no others, where they lie. */
  paint(bands) {
    const kept = new Set();
    for (const band of bands) {
      kept.add(band.key);
      const drawn = this.drawn.get(band.key) ?? this.newBand(band.key);
      const { group, path, part } = drawn;
      group.band = band;
      setAttribute(path, "d", bandOutline(band));
      for (const one of [path, part]) {
        for (const [name, value] of Object.entries(this.look(band.value))) setAttribute(one, name, value);
        if (band.value > 0) one.removeAttribute("fill");
      }
      this.paintPart(drawn);
    }
    for (const [key, { group }] of this.drawn) {
      if (kept.has(key)) continue;
      group.remove();
      this.drawn.delete(key);
    }
  }

  /** Light a band, or not, if `some` are; `share` of it is on the paths. */
  light({ key }, some, on, share) {
    const drawn = this.drawn.get(key);
    const { group } = drawn;
    drawn.share = share;
    this.paintPart(drawn);
    group.classList.toggle("lx-lit", some && on);
    group.classList.toggle("lx-unlit", some && !on);
    const level = some && on ? this.front : this.back;
    if (group.parentNode !== level) level.append(group);
  }

  /** The part of a band that is on the selected paths, along its upper side, and its sign where there is room. */
  paintPart({ group: { band }, part, sign, share }) {
    const thickness = band.thickness * share;
    const up = (band.thickness - thickness) / 2;
    setAttribute(part, "d", bandOutline({ ...band, y0: band.y0 - up, y1: band.y1 - up, thickness }));
    setText(sign, thickness < ROOM_FOR_SIGN ? "" : band.value > 0 ? "+" : "\u2212");
    setAttribute(sign, "x", (band.x0 + 14).toFixed(1));
    setAttribute(sign, "y", (band.y0 - up + 4.5).toFixed(1));
  }

  newBand(key) {
    const path = makeSvg("path", { class: "lx-band-fill" });
    const part = makeSvg("path", { class: "lx-band-fill lx-band-part" });
    const sign = makeSvg("text", { class: "lx-band-sign" });
    const group = makeSvg("g", { class: "lx-band" }, path, part, sign);
    const ends = () => [group.band.from, group.band.to];
    group.addEventListener("pointerenter", (event) => {
      if (event.pointerType !== "touch") this.actions.point(ends());
    });
    group.addEventListener("pointerleave", () => this.actions.point(null));
    group.addEventListener("click", () => this.actions.pick(ends()));
    this.back.append(group);
    const made = { group, path, part, sign, share: 1 };
    this.drawn.set(key, made);
    return made;
  }
}

function makeSvg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG_NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
