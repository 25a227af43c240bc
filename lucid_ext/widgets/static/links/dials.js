// Dials: one for each unit of a list, that turns it up or down and so changes the values of another list.

import { rowOf } from "../arrays.js";
import { make, setAttribute, setText } from "../dom.js";
import { chip } from "../marks.js";

const ALONE = "One at a time; the others go back to \u00d71.";
const TOGETHER = "Any of them together: the network runs anew.";

/** Draws the dials of one link. They stand in the state: `stands()`, and `actions.turn(stands)`. */
class Dials {
  constructor({ id, actions, stands }) {
    this.actions = actions;
    this.now = stands;
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

  destroy() {
    this.element.remove();
  }

  /** Take a link; `answers`: whether several may be turned at once. */
  update(link, { board, answers }) {
    this.answers = answers;
    setText(this.title, link.title);
    setText(this.note, answers ? TOGETHER : ALONE);
    if (this.link === link) return;
    this.link = link;
    this.rest = restOf(link);
    const { labels, colours } = board.panels.get(link.source);
    this.dials = labels.map((_, unit) => this.dial(unit, colours[unit]));
    this.rows.replaceChildren(...this.dials.map((dial) => dial.element));
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
      before = this.now();
    });
    input.addEventListener("pointercancel", () => {
      if (before && String(before) !== String(this.now())) this.actions.turn(before);
    });
  }

  turn(unit, stand) {
    const others = this.answers ? this.now() : this.now().map(() => this.rest);
    this.actions.turn(others.map((before, i) => (i === unit ? stand : before)));
  }

  back() {
    this.actions.turn(this.now().map(() => this.rest));
  }

  draw(reading) {
    const { labels } = reading.other(this.link.source);
    const stands = this.now();
    const same =
      this.drawn?.link === this.link && this.drawn.labels === labels && this.drawn.stands === stands;
    if (same) return; // as whenever the reader only points somewhere
    this.drawn = { link: this.link, labels, stands };
    this.dials.forEach(({ name, input, output, element }, unit) => {
      const stand = stands[unit];
      const said = `\u00d7${this.link.levels[stand].toFixed(2)}`;
      setText(name, labels[unit]);
      setAttribute(input, "aria-label", `Level of ${labels[unit]}`);
      if (Number(input.value) !== stand) input.value = stand;
      setText(output, said);
      setAttribute(input, "aria-valuetext", stand === this.rest ? `${said}, as it is` : said);
      element.classList.toggle("lx-turned", stand !== this.rest);
    });
    this.reset.disabled = stands.every((stand) => stand === this.rest);
  }
}

function restOf(link) {
  return link.levels.indexOf(1);
}

function levelsOf(link, stands) {
  return stands.map((stand) => link.levels[stand]);
}

export const dials = {
  kind: "dials",
  View: Dials,

  /** All dials at rest. */
  start: (link) => Array(link.values.length / link.width / link.levels.length).fill(restOf(link)),

  /** As they stand, a level for each unit. */
  levels: levelsOf,

  /**
   * The target's values as the dials stand: null at rest; from the table where one is turned; where several are,
   * what was answered to just that, and until then `before`.
   */
  values(link, stands, answer, before) {
    const rest = restOf(link);
    const off = stands.flatMap((stand, unit) => (stand === rest ? [] : [unit]));
    if (!off.length) return null;
    if (off.length === 1) return rowOf(link, "values", off[0] * link.levels.length + stands[off[0]]);
    const { source, target } = link;
    const asked = JSON.stringify(answer?.levels?.[source]) === JSON.stringify(levelsOf(link, stands));
    return asked && answer.values?.[target] ? Float32Array.from(answer.values[target]) : before;
  },
};
