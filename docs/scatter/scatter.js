// Points in a plane: a dot for each atom, as large as it is lit by what is selected elsewhere.

import { make, setAttribute, setText } from "../dom.js";
import { Listbox } from "../listbox.js";

const SIDE = 300; // pixels
const ALONG = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

class Scatter extends Listbox {
  constructor({ id, actions }) {
    super(id, actions, ALONG);
    this.list.style.cssText = `position: relative; width: ${SIDE}px; height: ${SIDE}px`;
    this.element = make("section", { class: "lx-panel" }, make("h3", {}, this.title), this.list);
  }

  newRow(index) {
    const element = this.option(index);
    const dot = "position: absolute; padding: 0; min-height: 0; border-radius: 50%; background: currentColor";
    element.style.cssText = dot;
    return { element, atom: index };
  }

  update(panel) {
    setText(this.title, panel.title);
    this.take(panel.size);
  }

  draw(reading) {
    const { panel, light, marked } = reading;
    const most = light ? Math.max(...light.weights.map(Math.abs), 1e-9) : 1;
    for (const { element, atom } of this.rows) {
      const chosen = atom === marked.selected;
      const size = chosen || !light ? 12 : 6 + 12 * Math.abs(light.weights[atom] / most);
      const [x, y] = panel.places[atom];
      Object.assign(element.style, {
        width: `${size}px`,
        height: `${size}px`,
        left: `${x * SIDE - size / 2}px`,
        top: `${y * SIDE - size / 2}px`,
        outline: chosen ? "3px solid var(--lx-accent)" : atom === marked.hovered ? "1px solid" : "none",
      });
      setAttribute(element, "tabindex", atom === this.active ? 0 : -1);
      setAttribute(element, "aria-selected", chosen);
      setAttribute(element, "aria-label", panel.labels[atom]);
    }
  }
}

/** Points as fractions of the panel, from its top left corner. */
function decode(spec) {
  const at = (axis) => spec.labels.map((_, i) => spec.points[2 * i + axis]);
  const [across, up] = [at(0), at(1)].map((values) => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return values.map((value) => 0.04 + (0.92 * (value - least)) / (most - least || 1));
  });
  return { ...spec, size: spec.labels.length, places: across.map((x, i) => [x, 1 - up[i]]) };
}

export const scatter = { kind: "scatter", View: Scatter, decode, region: () => "aside" };
