// Units as cards side by side: icon, mark, pictures of another list, and several numbers each.

import { formatValue, rowsOf } from "./data.js";
import { make, setAttribute, setText } from "./dom.js";
import { Units } from "./units.js";

const STRIP = 4; // pictures of another list on a card
const SIDEWAYS = { ArrowRight: "ArrowDown", ArrowLeft: "ArrowUp" };

/** Draws one panel of cards; they stand in the order of the units, whatever is selected. */
export class Cards extends Units {
  /** `sheets` draws the pictures of any list. */
  constructor(id, actions, sheets) {
    super(id, actions);
    this.sheets = sheets;
    this.element.classList.add("lx-cards");
  }

  update(panel, _limit, board) {
    this.board = board;
    const facts = panel.facts.map((fact) => fact.name).join("\n");
    if (facts !== this.facts) this.rows = [];
    this.facts = facts;
    this.panel = panel; // `newRow` asks for its facts
    super.update(panel, panel.size);
    setText(this.scale, "");
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
    const element = make(
      "div",
      { class: "lx-row lx-card", role: "option", id: `${this.id}-${index}` },
      make("span", { class: "lx-card-head" }, name, mark),
      make("span", { class: "lx-card-pictures" }, frame, ...strip),
      make("span", { class: "lx-facts" }, ...facts.flatMap((fact) => fact.parts)),
    );
    const row = { element, icon, doubt, name, mark, strip, facts, atom: index };
    element.addEventListener("pointerenter", (event) => {
      if (event.pointerType !== "touch") this.hover(row);
    });
    element.addEventListener("focus", () => this.hover(row));
    element.addEventListener("click", () => this.toggle(row));
    return row;
  }

  fill(_pairs, icons, { selected, hovered }) {
    const { panel } = this;
    this.rows.forEach((row, atom) => {
      setAttribute(row.element, "tabindex", atom === this.active ? 0 : -1);
      setAttribute(row.element, "aria-selected", atom === selected);
      const doubt = panel.doubts[atom] ?? "";
      row.element.classList.toggle("lx-doubtful", doubt !== "");
      setText(row.doubt, doubt);
      setText(row.name, panel.labels[atom]);
      setText(row.mark, panel.marks[atom] ?? "");
      row.mark.classList.toggle("lx-loud", panel.loud.includes(atom));
      icons(atom, row.icon);
      this.drawStrip(row, atom);
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

  drawStrip(row, atom) {
    const { strip, name } = this.panel;
    const pairs = strip ? rowsOf(this.board, strip, { [name]: atom }, STRIP) : [];
    row.strip.forEach((canvas, i) => {
      canvas.hidden = !pairs[i];
      if (!pairs[i]) return;
      this.sheets.draw(this.board, strip, pairs[i][0], canvas);
      setAttribute(canvas, "title", this.board.panels.get(strip).labels[pairs[i][0]]);
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

  typed(event) {
    const key = SIDEWAYS[event.key];
    if (!key) return super.typed(event);
    super.typed({
      key,
      preventDefault: () => event.preventDefault(),
      stopPropagation: () => event.stopPropagation(),
    });
  }
}
