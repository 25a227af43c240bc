// Names that the reader gives to units of a list: a field below the list, for the unit that is selected.

import { make, setText } from "./dom.js";

const MOST_LETTERS = 40; // Python cuts longer ones too

/** A button that opens a field. `give(atom, name)` is told the new name, `back()` takes the focus back. */
export class Naming {
  constructor(give, back) {
    this.give = give;
    this.back = back;
    this.atom = null;
    this.button = make("button", { type: "button", onclick: () => this.open() }, "Rename (F2)");
    this.label = make("span", { class: "lx-naming-label" });
    this.input = make("input", { type: "text", maxlength: MOST_LETTERS, autocomplete: "off" });
    const save = make("button", { type: "submit" }, "Save");
    const cancel = make("button", { type: "button", onclick: () => this.close() }, "Cancel");
    this.form = make("form", { hidden: "" }, make("label", {}, this.label, this.input), save, cancel);
    this.element = make("div", { class: "lx-naming" });
    this.form.addEventListener("submit", (event) => this.submitted(event));
    this.form.addEventListener("keydown", (event) => this.typed(event));
  }

  /** Say which unit of a panel would be renamed; null for none. */
  update(panel, atom) {
    if (panel.renamable !== this.element.hasChildNodes()) {
      this.element.replaceChildren(...(panel.renamable ? [this.button, this.form] : []));
    }
    this.element.hidden = !panel.renamable;
    this.button.disabled = atom == null;
    if (atom !== this.atom) {
      this.form.hidden = true;
      this.button.hidden = false;
    }
    this.atom = atom;
    this.name = atom == null ? "" : panel.labels[atom];
  }

  open() {
    if (this.atom == null) return;
    setText(this.label, `Name of unit ${this.atom}`);
    this.input.value = this.name.replace(/\? \([^)]*\)$/, ""); // of a guess, what may be agreed with
    this.button.hidden = true;
    this.form.hidden = false;
    this.input.focus();
    this.input.select();
  }

  close() {
    this.form.hidden = true;
    this.button.hidden = false;
    this.back();
  }

  submitted(event) {
    event.preventDefault();
    const name = this.input.value.replace(/\s+/g, " ").trim();
    if (name) this.give(this.atom, name);
    this.close();
  }

  typed(event) {
    event.stopPropagation();
    if (event.key === "Escape") this.close();
  }
}
