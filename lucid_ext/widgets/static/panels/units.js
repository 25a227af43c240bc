// A list of units: icon, name, signed bar and number per row; the same rows are filled anew.

import { make, setAttribute, setName, setText } from "../dom.js";
import { formatValue } from "../format.js";
import { Listbox } from "../listbox.js";
import { chip, paintChip } from "../marks.js";
import { Naming } from "../names.js";

/** Draws one list. */
class Units extends Listbox {
  constructor({ id, actions }) {
    super(id, actions);
    this.scale = make("span", { class: "lx-scale" });
    this.heading = make("h3", {}, this.title, this.scale);
    this.law = make("p", { class: "lx-values" });
    this.note = make("p", { class: "lx-note" });
    this.naming = new Naming(
      (atom, name) => this.actions.rename(atom, name),
      () => this.focus(this.active),
    );
    const parts = [this.heading, this.law, this.list, this.naming.element, this.note];
    this.element = make("section", { class: "lx-panel lx-units lx-across" }, ...parts);
  }

  update(panel, { limit }) {
    this.panel = panel;
    setText(this.title, panel.title);
    this.element.classList.toggle("lx-large", panel.large);
    this.note.hidden = !panel.notes.some((note) => note);
    this.element.classList.toggle("lx-plain", !panel.illustrated);
    this.take(limit);
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
    const element = this.option(index, mark, picture, text);
    return { element, mark, canvas, badge, name, value, bar, rest, track, doubt, atom: null };
  }

  draw(reading) {
    const { panel } = reading;
    this.panel = panel;
    const { selected, hovered } = reading.marked;
    const { rows, signed, law, scale, note } = reading.answer;
    setText(this.scale, panel.large ? "" : `full bar ${formatValue(scale, panel.format)}`);
    setText(this.law, law);
    this.rows.forEach((row, i) => {
      const [atom, value] = rows[i] ?? [null, 0];
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
      const kind = reading.icon(atom, row.canvas);
      row.element.classList.toggle("lx-without-icon", kind === "none");
      setText(row.badge, kind === "blend" ? "\u2248 approximate" : "");
      paintChip(row.mark, String(atom), panel.colours[atom]);
      const doubt = panel.doubts[atom] || "";
      setText(row.doubt, doubt);
      row.element.classList.toggle("lx-doubtful", doubt !== "");
      row.rest.hidden = !panel.rest; // where dials have changed the values
      if (panel.rest) row.rest.style.left = `${100 * Math.min(1, panel.rest[atom] / panel.scale)}%`;
      const said = [panel.labels[atom], text, doubt].filter((part) => part);
      setAttribute(row.element, "aria-label", said.join(", "));
    });
    this.naming.update(panel, selected);
    const noted = hovered ?? selected;
    setText(this.note, note || (noted != null && panel.notes[noted]) || "");
  }

  /** Open the field for the name of the row the reader is at. */
  edit() {
    const { atom } = this.rows[this.active];
    if (atom == null) return;
    this.actions.select(atom);
    this.naming.open();
  }

  typed(event) {
    if (event.key !== "F2" || !this.panel.renamable) return super.typed(event);
    this.edit();
    event.preventDefault();
    event.stopPropagation();
  }
}

export const units = {
  kind: "units",
  View: Units,
  adjustable: () => true,

  /** Beside the picture: lists the selection fills first, what stands still last. */
  region(panel, { single, filled }) {
    if (!single) return "pictures";
    if (panel.column != null) return ["pictures", "lists", "aside"][panel.column];
    return filled && !panel.large ? "lists" : "aside";
  },
};
