// The lists of a trail as columns, over them the way that led to the present question, with a way back.

import { labelOf } from "./answers.js";
import { make, setAttribute, setText } from "./dom.js";

const MOST_ABREAST = 6;
const WRITING = "input:not([type=range]), textarea";

/** Draws a history of questions and holds their lists. `actions`: go(at), where a history is to go. */
export class Columns {
  constructor(id, actions) {
    this.actions = actions;
    this.views = [];
    this.crumbs = [];
    const button = (label, text, by) =>
      make(
        "button",
        { type: "button", "aria-label": label, title: label, onclick: () => this.move(by) },
        text,
      );
    this.back = button("Back", "\u2190", -1);
    this.forward = button("Forward", "\u2192", 1);
    this.path = make("ol", { class: "lx-path" });
    this.bar = make(
      "nav",
      { class: "lx-way", "aria-label": "What was asked" },
      this.back,
      this.forward,
      this.path,
    );
    this.lists = make("div", { class: "lx-columns" });
    this.note = make("p", { class: "lx-note", id: `${id}-note` });
    this.element = make("section", { class: "lx-trail" }, this.bar, this.lists, this.note);
    this.lists.addEventListener("keydown", (event) => this.typed(event));
  }

  /** Take the views of the lists, from left to right. */
  hold(views) {
    this.views = views;
    const rows = Math.ceil(views.length / MOST_ABREAST);
    this.lists.style.setProperty("--columns", Math.ceil(views.length / rows) || 1);
    this.lists.replaceChildren(...views.map((view) => view.element));
  }

  /** Show a history; `icon(list, atom, canvas)` draws a unit's icon, and `note` is said of what is pointed at. */
  draw(board, history, icon, note) {
    const { steps, at } = history;
    this.history = history;
    setAttribute(this.back, "aria-disabled", at === 0);
    setAttribute(this.forward, "aria-disabled", at === steps.length - 1);
    while (this.crumbs.length < steps.length) this.crumbs.push(this.newCrumb(this.crumbs.length));
    while (this.crumbs.length > steps.length) this.crumbs.pop().item.remove();
    for (const [i, { button, canvas, text }] of this.crumbs.entries()) {
      const [list, atom] = steps[i];
      canvas.hidden = icon(list, atom, canvas) === "none";
      setText(text, labelOf(board.panels.get(list), atom));
      button.classList.toggle("lx-ahead", i > at);
      if (i === at) setAttribute(button, "aria-current", "step");
      else button.removeAttribute("aria-current");
    }
    if (this.shown !== history) this.bring(this.crumbs[at].item);
    this.shown = history;
    setText(this.note, note);
  }

  newCrumb(at) {
    const canvas = make("canvas", { class: "lx-icon", "aria-hidden": "true" });
    const text = make("span", {});
    const button = make("button", { type: "button", onclick: () => this.actions.go(at) }, canvas, text);
    const item = make("li", {}, button);
    this.path.append(item);
    return { item, button, canvas, text };
  }

  /** Scroll the path, and nothing else, to where an item can be seen. */
  bring(item) {
    const [box, inner] = [this.path, item].map((element) => element.getBoundingClientRect());
    if (inner.right > box.right) this.path.scrollLeft += inner.right - box.right;
    if (inner.left < box.left) this.path.scrollLeft += inner.left - box.left;
  }

  move(by) {
    this.actions.go(this.history.at + by);
  }

  /** Listen to the keys that go back and forth, anywhere in the board. */
  listen(root) {
    root.addEventListener("keydown", (event) => this.travelled(event), true);
  }

  travelled(event) {
    if (this.element.hidden || event.ctrlKey || event.metaKey) return;
    const alone = event.key === "Backspace" && !event.altKey && !event.composedPath()[0].matches(WRITING);
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.altKey ? event.key : ""] ?? (alone ? -1 : 0);
    if (!by) return;
    this.move(by);
    event.preventDefault();
    event.stopPropagation();
  }

  /** Left and right lead from list to list. */
  typed(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const here = this.views.findIndex((view) => view.element.contains(event.target));
    if (!by || here < 0) return;
    const next = this.views[here + by];
    if (next) next.enter(this.views[here].active);
    event.preventDefault();
    event.stopPropagation();
  }
}
