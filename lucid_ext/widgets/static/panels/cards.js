// Units as cards side by side: icon, mark, pictures of another list, and several numbers each.

import { make, setAttribute, setText } from "../dom.js";
import { formatValue } from "../format.js";
import { Listbox } from "../listbox.js";

const STRIP = 4; // pictures of another list on a card
const ALONG = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

/** Draws one panel of cards; they stand in the order of the units, whatever is selected. */
class Cards extends Listbox {
  constructor({ id, actions }) {
    super(id, actions, ALONG);
    this.note = make("p", { class: "lx-note" });
    const parts = [make("h3", {}, this.title), this.list, this.note];
    this.element = make("section", { class: "lx-panel lx-units lx-cards" }, ...parts);
  }

  update(panel) {
    const facts = panel.facts.map((fact) => fact.name).join("\n");
    if (facts !== this.facts) this.rows = [];
    this.facts = facts;
    this.panel = panel; // `newRow` asks for its facts
    setText(this.title, panel.title);
    this.element.classList.toggle("lx-large", panel.large);
    this.element.classList.toggle("lx-plain", !panel.illustrated);
    this.note.hidden = !panel.notes.some((note) => note);
    this.take(panel.size);
  }

  newRow(index) {
    const icon = make("canvas", { class: "lx-icon", "aria-hidden": "true" });
    const doubt = make("span", { class: "lx-badge" });
    const frame = make("span", { class: "lx-frame" }, icon, doubt);
    const name = make("span", { class: "lx-name" });
    const mark = make("span", { class: "lx-mark" });
    const strip = Array.from({ length: STRIP }, () =>
      make("canvas", { class: "lx-icon", "aria-hidden": "true" }),
    );
    const facts = this.panel.facts.map((fact) => {
      const bar = make("span", { class: "lx-bar" });
      const track = make("span", { class: "lx-track lx-fact-bar", "aria-hidden": "true" }, bar);
      const value = make("span", { class: "lx-value" });
      return { bar, track, value, parts: [make("span", { class: "lx-fact" }, fact.name), track, value] };
    });
    const element = this.option(
      index,
      make("span", { class: "lx-card-head" }, name, mark),
      make("span", { class: "lx-card-pictures" }, frame, ...strip),
      make("span", { class: "lx-facts" }, ...facts.flatMap((fact) => fact.parts)),
    );
    element.classList.add("lx-card");
    return { element, icon, doubt, name, mark, strip, facts, atom: index };
  }

  draw(reading) {
    const { panel } = reading;
    this.panel = panel;
    const { selected, hovered } = reading.marked;
    this.rows.forEach((row, atom) => {
      setAttribute(row.element, "tabindex", atom === this.active ? 0 : -1);
      setAttribute(row.element, "aria-selected", atom === selected);
      const doubt = panel.doubts[atom] ?? "";
      row.element.classList.toggle("lx-doubtful", doubt !== "");
      setText(row.doubt, doubt);
      setText(row.name, panel.labels[atom]);
      setText(row.mark, panel.marks[atom] ?? "");
      row.mark.classList.toggle("lx-loud", panel.loud.includes(atom));
      reading.icon(atom, row.icon);
      this.drawStrip(row, atom, reading);
      const said = panel.facts.map((fact, i) => this.drawFact(row.facts[i], fact, atom));
      setAttribute(
        row.element,
        "aria-label",
        [panel.labels[atom], panel.marks[atom], doubt, ...said].filter(Boolean).join(", "),
      );
    });
    const noted = hovered ?? selected;
    setText(this.note, (noted != null && panel.notes[noted]) || "");
  }

  drawStrip(row, atom, reading) {
    const { strip, name } = this.panel;
    const pairs = strip ? reading.rowsOf(strip, { [name]: atom }, STRIP) : [];
    row.strip.forEach((canvas, i) => {
      canvas.hidden = !pairs[i];
      if (!pairs[i]) return;
      reading.icon(pairs[i][0], canvas, strip);
      setAttribute(canvas, "title", reading.other(strip).labels[pairs[i][0]]);
    });
  }

  /** Draw one number; returns how it is said. */
  drawFact({ bar, track, value }, fact, atom) {
    const number = fact.values[atom];
    const signed = fact.values.some((v) => v < 0);
    const text = formatValue(number, fact.format, signed);
    setText(value, text);
    track.classList.toggle("lx-signed", signed);
    bar.classList.toggle("lx-against", number < 0);
    bar.style.transform = `scaleX(${Math.min(1, Math.abs(number) / fact.scale)})`;
    return `${fact.name} ${text}`;
  }
}

export const cards = {
  kind: "cards",
  View: Cards,
  region: () => "deck",
};
