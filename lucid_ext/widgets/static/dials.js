// Dials: one for each unit of a list, that turns it up or down and so changes the values of another list.

import { rowOf } from "./data.js";
import { make, setAttribute, setText } from "./dom.js";
import { chip } from "./marks.js";

const ALONE = "One at a time; the others go back to \u00d71.";
const TOGETHER = "Any of them together: the network runs anew.";

/** Draws the dials of one link. `turned()` is called when the reader has turned one. */
export class Dials {
  constructor(id, turned) {
    this.turned = turned;
    this.title = make("h3", { id: `${id}-title` });
    this.rows = make("div", { class: "lx-dial-rows" });
    this.note = make("p", { class: "lx-note" });
    this.reset = make("button", { type: "button", onclick: () => this.back() }, "All to \u00d71");
    this.element = make(
      "section",
      { class: "lx-panel lx-dials", role: "group", "aria-labelledby": `${id}-title` },
      this.title,
      this.rows,
      make("div", { class: "lx-dials-foot" }, this.reset, this.note),
    );
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Tab") event.stopPropagation();
    });
  }

  /** Take a link and the list whose units are turned; `answers`: whether several may be turned at once. */
  update(link, source, answers) {
    this.answers = answers;
    setText(this.title, link.title);
    setText(this.note, answers ? TOGETHER : ALONE);
    if (this.link !== link) {
      this.link = link;
      this.rest = link.levels.indexOf(1);
      this.stands = source.labels.map(() => this.rest);
      this.dials = source.labels.map((_, unit) => this.dial(unit, source.colours[unit]));
      this.rows.replaceChildren(...this.dials.map((dial) => dial.element));
    }
    this.dials.forEach((dial, unit) => {
      setText(dial.name, source.labels[unit]);
      setAttribute(dial.input, "aria-label", `Level of ${source.labels[unit]}`);
    });
    this.show();
  }

  dial(unit, colour) {
    const name = make("span", { class: "lx-name" });
    const output = make("output", {});
    const input = make("input", {
      type: "range",
      min: 0,
      max: this.link.levels.length - 1,
      oninput: () => this.turn(unit, Number(input.value)),
    });
    this.heedFingers(input);
    const mark = colour ? chip(String(unit), colour) : null;
    return { element: make("label", { class: "lx-dial" }, mark, name, output, input), name, input, output };
  }

  /** A finger that turns out to scroll the page has touched a dial in passing: it goes back to where it was. */
  heedFingers(input) {
    let before = null;
    input.addEventListener("pointerdown", () => {
      before = [...this.stands];
    });
    input.addEventListener("pointercancel", () => {
      if (String(before) === String(this.stands)) return;
      this.stands = before;
      this.show();
      this.turned();
    });
  }

  turn(unit, stand) {
    if (!this.answers) this.stands.fill(this.rest);
    this.stands[unit] = stand;
    this.show();
    this.turned();
  }

  back() {
    this.stands.fill(this.rest);
    this.show();
    this.turned();
  }

  show() {
    this.dials.forEach(({ input, output, element }, unit) => {
      const stand = this.stands[unit];
      const said = `\u00d7${this.link.levels[stand].toFixed(2)}`;
      if (Number(input.value) !== stand) input.value = stand;
      setText(output, said);
      setAttribute(input, "aria-valuetext", stand === this.rest ? `${said}, as it is` : said);
      element.classList.toggle("lx-turned", stand !== this.rest);
    });
    this.reset.disabled = this.stands.every((stand) => stand === this.rest);
  }

  /** Where the dials stand, a level for each unit. */
  levels() {
    return this.stands.map((stand) => this.link.levels[stand]);
  }

  /**
   * The target's values as the dials stand: null at rest; from the table where one is turned; where several are,
   * what was answered to just that, and until then `before`.
   */
  values(answer, before) {
    const off = this.stands.flatMap((stand, unit) => (stand === this.rest ? [] : [unit]));
    if (!off.length) return null;
    if (off.length === 1)
      return rowOf(this.link, "values", off[0] * this.link.levels.length + this.stands[off[0]]);
    const { source, target } = this.link;
    const asked = JSON.stringify(answer?.levels?.[source]) === JSON.stringify(this.levels());
    return asked && answer.values?.[target] ? Float32Array.from(answer.values[target]) : before;
  }
}
