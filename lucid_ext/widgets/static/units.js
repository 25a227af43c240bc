// A list of units: icon, name, signed bar and number per row; the same rows are filled anew.

import { formatValue } from "./data.js";
import { make, setAttribute, setName, setText } from "./dom.js";
import { chip, paintChip } from "./marks.js";
import { Naming } from "./names.js";

/** Draws one list panel. `actions`: hover(atom | null), select(atom), unselect(), rename(atom, name). */
export class Units {
  constructor(id, actions) {
    this.id = id;
    this.actions = actions;
    this.rows = [];
    this.active = 0;
    this.sheet = null;
    this.title = make("span", { id: `${id}-title` });
    this.scale = make("span", { class: "lx-scale" });
    this.heading = make("h3", {}, this.title, this.scale);
    this.list = make("div", { class: "lx-rows", role: "listbox", "aria-labelledby": `${id}-title` });
    this.law = make("p", { class: "lx-values" });
    this.note = make("p", { class: "lx-note" });
    this.naming = new Naming(
      (atom, name) => this.actions.rename(atom, name),
      () => this.focus(this.active),
    );
    const parts = [this.heading, this.law, this.list, this.naming.element, this.note];
    this.element = make("section", { class: "lx-panel lx-units" }, ...parts);
    this.list.addEventListener("keydown", (event) => this.typed(event));
    this.list.addEventListener("pointerleave", () => this.actions.hover(null));
    this.list.addEventListener("focusout", () => this.actions.hover(null));
  }

  /** Take a panel's spec and how many rows to show. */
  update(panel, limit) {
    this.panel = panel;
    setText(this.title, panel.title);
    this.element.classList.toggle("lx-large", panel.large);
    this.note.hidden = !panel.notes.some((note) => note);
    this.element.classList.toggle("lx-plain", !panel.illustrated);
    while (this.rows.length < limit) this.rows.push(this.newRow(this.rows.length));
    while (this.rows.length > limit) this.rows.pop();
    this.list.replaceChildren(...this.rows.map((row) => row.element));
    this.active = Math.min(this.active, limit - 1);
  }

  newRow(index) {
    const canvas = make("canvas", { class: "lx-icon", "aria-hidden": "true" });
    const badge = make("span", { class: "lx-badge" });
    const name = make("span", { class: "lx-name" });
    const value = make("span", { class: "lx-value" });
    const bar = make("span", { class: "lx-bar" });
    const rest = make("span", { class: "lx-rest" });
    const track = make("span", { class: "lx-track", "aria-hidden": "true" }, bar, rest);
    const mark = chip("", "");
    const doubt = make("span", { class: "lx-doubt" });
    const picture = make("span", { class: "lx-frame" }, canvas, badge);
    const text = make("span", { class: "lx-text" }, name, value, track, doubt);
    const element = make(
      "div",
      { class: "lx-row", role: "option", id: `${this.id}-${index}` },
      mark,
      picture,
      text,
    );
    const row = { element, mark, canvas, badge, name, value, bar, rest, track, doubt, atom: null };
    element.addEventListener("pointerenter", (event) => {
      if (event.pointerType !== "touch") this.hover(row);
    });
    element.addEventListener("focus", () => this.hover(row));
    element.addEventListener("click", () => this.toggle(row));
    return row;
  }

  /**
   * Fill the rows: `pairs` of [unit, value]. `icons` draws a unit's icon on a canvas and says what kind it is: "own",
   * "blend" or "none"; `signed` lets bars go both ways from the middle; said of the values are the law, the scale
   * of bars and a note.
   */
  fill(pairs, icons, { selected, hovered }, signed, { law, scale, note }) {
    const { panel } = this;
    setText(this.scale, panel.large ? "" : `full bar ${formatValue(scale, panel.format)}`);
    setText(this.law, law);
    this.rows.forEach((row, i) => {
      const [atom, value] = pairs[i] ?? [null, 0];
      row.atom = atom;
      row.element.classList.toggle("lx-empty", atom == null);
      setAttribute(row.element, "tabindex", i === this.active ? 0 : -1);
      setAttribute(row.element, "aria-selected", atom != null && atom === selected);
      if (atom == null) {
        setAttribute(row.element, "aria-hidden", "true");
        return;
      }
      row.element.removeAttribute("aria-hidden");
      const text = formatValue(value, panel.format, signed);
      setName(row.name, panel.labels[atom]);
      setText(row.value, text);
      const share = Math.min(1, Math.abs(value) / scale);
      row.track.classList.toggle("lx-signed", signed);
      row.bar.classList.toggle("lx-against", value < 0);
      row.bar.style.transform = `scaleX(${share})`;
      const kind = icons(atom, row.canvas);
      row.element.classList.toggle("lx-without-icon", kind === "none");
      setText(row.badge, kind === "blend" ? "\u2248 approximate" : "");
      paintChip(row.mark, String(atom), panel.colours[atom]);
      const doubt = panel.doubts[atom] || "";
      setText(row.doubt, doubt);
      row.element.classList.toggle("lx-doubtful", doubt !== "");
      row.rest.hidden = !panel.turned;
      if (panel.turned) row.rest.style.left = `${100 * Math.min(1, panel.values[atom] / panel.scale)}%`;
      const said = [panel.labels[atom], text, doubt].filter((part) => part);
      setAttribute(row.element, "aria-label", said.join(", "));
    });
    this.naming.update(panel, selected);
    const noted = hovered ?? selected;
    setText(this.note, note || (noted != null && panel.notes[noted]) || "");
  }

  hover(row) {
    if (row.atom == null) return;
    this.actions.hover(row.atom);
  }

  toggle(row) {
    if (row.atom == null) return;
    this.focus(this.rows.indexOf(row));
    if (row.element.getAttribute("aria-selected") === "true") this.actions.unselect();
    else this.actions.select(row.atom);
  }

  /** Open the field for the name of the row the reader is at. */
  edit() {
    const { atom } = this.rows[this.active];
    if (atom == null) return;
    this.actions.select(atom);
    this.naming.open();
  }

  focus(index) {
    this.active = index;
    for (const [i, row] of this.rows.entries()) setAttribute(row.element, "tabindex", i === index ? 0 : -1);
    this.rows[index].element.focus({ preventScroll: true });
  }

  typed(event) {
    const last = this.rows.filter((row) => row.atom != null).length - 1;
    const steps = { ArrowDown: this.active + 1, ArrowUp: this.active - 1, Home: 0, End: last };
    if (event.key in steps) this.focus(Math.max(0, Math.min(last, steps[event.key])));
    else if (event.key === "Enter" || event.key === " ") this.toggle(this.rows[this.active]);
    else if (event.key === "F2" && this.panel.renamable) this.edit();
    else if (event.key === "Escape") this.actions.unselect();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
