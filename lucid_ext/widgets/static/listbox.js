// A list of options: one tab stop, arrow keys from option to option, and what each of them does.

import { make, setAttribute } from "./dom.js";

const ALONG = { ArrowDown: 1, ArrowUp: -1 };

/** What lists of units have in common. Whoever extends it has `newRow(index)`: {element, atom, ...}. */
export class Listbox {
  /** `along`: which keys lead how many options further. */
  constructor(id, actions, along = ALONG) {
    this.id = id;
    this.actions = actions;
    this.along = along;
    this.rows = [];
    this.active = 0;
    this.title = make("span", { id: `${id}-title` });
    this.list = make("div", { class: "lx-rows", role: "listbox", "aria-labelledby": `${id}-title` });
    this.list.addEventListener("keydown", (event) => this.typed(event));
    this.list.addEventListener("pointerleave", () => this.actions.hover(null));
    this.list.addEventListener("focusout", () => this.actions.hover(null));
  }

  destroy() {
    this.element.remove();
  }

  /** Have so many rows. */
  take(count) {
    while (this.rows.length < count) this.rows.push(this.listened(this.newRow(this.rows.length)));
    while (this.rows.length > count) this.rows.pop();
    this.list.replaceChildren(...this.rows.map((row) => row.element));
    this.active = Math.min(this.active, count - 1);
  }

  option(index, ...children) {
    return make("div", { class: "lx-row", role: "option", id: `${this.id}-${index}` }, ...children);
  }

  listened(row) {
    const { element } = row;
    element.addEventListener("pointerenter", (event) => {
      if (event.pointerType !== "touch") this.hover(row);
    });
    element.addEventListener("focus", () => this.hover(row));
    element.addEventListener("click", () => this.toggle(row));
    return row;
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

  focus(index) {
    this.active = index;
    for (const [i, row] of this.rows.entries()) setAttribute(row.element, "tabindex", i === index ? 0 : -1);
    this.rows[index].element.focus({ preventScroll: true });
  }

  /** The last row that has a unit. */
  get last() {
    return this.rows.filter((row) => row.atom != null).length - 1;
  }

  /** Take the focus, at this row or the last. */
  enter(index) {
    this.focus(Math.min(index, this.last));
  }

  typed(event) {
    const steps = { Home: 0, End: this.last };
    for (const [key, by] of Object.entries(this.along)) steps[key] = this.active + by;
    if (event.key in steps) this.focus(Math.max(0, Math.min(this.last, steps[event.key])));
    else if (event.key === "Enter" || event.key === " ") this.toggle(this.rows[this.active]);
    else if (event.key === "Escape") this.actions.unselect();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
