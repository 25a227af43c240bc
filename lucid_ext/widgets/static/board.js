// The view of any Board: state, links and layout. Everything runs here, without a kernel.

import { makeControls } from "./controls.js";
import { decodeBoard, describe, linkInto, rowOf, rowsOf } from "./data.js";
import { make, newId, setText } from "./dom.js";
import { sameplace } from "./geometry.js";
import { Icons } from "./icons.js";
import { Picture } from "./picture.js";
import { watchTheme } from "./theme.js";
import { Units } from "./units.js";

const TELL_EVERY = 50; // milliseconds between messages to the model

/** Draws the model's board into an element and keeps the two in step. */
class BoardView {
  constructor(model, element) {
    this.model = model;
    this.id = newId();
    this.views = new Map(); // panel name -> Picture or Units
    this.selected = {};
    this.hovered = {};
    this.limits = {};
    this.icons = new Icons(() => this.draw());
    this.title = make("h2", { id: `${this.id}-title` });
    this.reading = make("p", { class: "lx-reading" });
    this.controls = make("div");
    this.pictures = make("div", { class: "lx-pictures" });
    this.lists = make("div", { class: "lx-lists" });
    this.aside = make("div", { class: "lx-aside" });
    this.caption = make("p", { class: "lx-caption" });
    this.formula = make("div", { class: "lx-formula" });
    this.status = make("p", { class: "lx-status", role: "status" });
    this.spoken = make("p", { class: "lx-spoken", role: "status" });
    this.root = make(
      "article",
      {
        class: "lx-board",
        "aria-labelledby": `${this.id}-title`,
        "data-lm-suppress-shortcuts": "true",
      },
      make("style", {}, BOARD_CSS),
      this.title,
      this.reading,
      this.controls,
      make("div", { class: "lx-panels" }, this.pictures, this.lists, this.aside),
      this.caption,
      this.formula,
      this.status,
      this.spoken,
    );
    element.append(this.root);
    this.handlers = {
      "change:payload": () => this.load(),
      "change:streamed": () => this.stream(),
      "change:selected": () => this.follow(),
      "change:shown": () => this.relimit(),
      "change:status": () => setText(this.status, model.get("status") ?? ""),
    };
    for (const [event, handler] of Object.entries(this.handlers)) model.on(event, handler);
    this.stopTheme = watchTheme((dark) => this.root.classList.toggle("lx-dark", dark));
    setText(this.status, model.get("status") ?? "");
    this.load();
  }

  destroy() {
    for (const [event, handler] of Object.entries(this.handlers)) this.model.off(event, handler);
    clearTimeout(this.timer);
    this.stopTheme();
    this.root.remove();
  }

  /** Take the model's payload: its boards, the first of which is shown. */
  load() {
    const payload = this.model.get("payload");
    if (!payload?.boards) return;
    this.urls = payload.pictures;
    this.boards = payload.boards.map((spec) => decodeBoard(spec));
    this.withControls = payload.controls;
    // What the model has selected counts atoms of the board before, unless this is the first.
    this.show(this.boards[0], this.board ? {} : this.model.get("selected"));
    this.stream();
  }

  /** Show a board; what is selected stays where it was, as far as the new one has such a place. */
  show(board, wanted = {}) {
    const before = this.board;
    const carried = {};
    for (const panel of board.panels.values()) {
      const old = before?.panels.get(panel.name);
      const atom = this.selected[panel.name];
      if (panel.kind === "grid") {
        carried[panel.name] = old ? (atom == null ? null : sameplace(atom, old, panel)) : panel.start;
      } else if (old && atom != null) {
        const same = panel.labels.indexOf(old.labels[atom]);
        carried[panel.name] = same < 0 ? null : same;
      }
      const asked = wanted[panel.name];
      if (Number.isInteger(asked) && asked >= 0 && asked < panel.size) carried[panel.name] = asked;
      if (panel.kind === "units") this.limits[panel.name] ??= panel.shown;
    }
    this.board = board;
    this.selected = Object.fromEntries(Object.entries(carried).filter(([, atom]) => atom != null));
    this.hovered = {};
    this.icons.keep([...board.panels.values()]);
    this.layOut();
    this.draw();
    this.tell();
  }

  layOut() {
    const { board } = this;
    setText(this.title, board.title);
    setText(this.reading, board.reading);
    if (this.formulaSource !== board.formula) {
      this.formulaSource = board.formula;
      const parsed = new DOMParser().parseFromString(board.formula, "text/html");
      this.formula.replaceChildren(...parsed.querySelectorAll("math"));
    }
    const kept = new Map();
    for (const panel of board.panels.values()) {
      const Kind = panel.kind === "grid" ? Picture : Units;
      let view = this.views.get(panel.name);
      if (!(view instanceof Kind)) view = new Kind(`${this.id}-${panel.name}`, this.actions(panel.name));
      kept.set(panel.name, view);
      if (panel.kind === "grid") view.update(panel, this.urls[panel.picture]);
      else view.update(panel, this.limits[panel.name]);
      this.columnOf(panel).append(view.element);
    }
    for (const [name, view] of this.views) if (kept.get(name) !== view) view.element.remove();
    this.views = kept;
    if (this.withControls) {
      const show = (next) => this.show(next);
      const limit = (name, n) => this.setLimit(name, n);
      const made = makeControls(this.boards, board, this.limits, show, limit);
      const focused = [...this.controls.querySelectorAll("select, input")].indexOf(
        this.root.getRootNode().activeElement,
      );
      this.controls.replaceChildren(made);
      if (focused >= 0) made.querySelectorAll("select, input")[focused]?.focus();
    }
  }

  /** Pictures first; lists the selection fills beside them; what stands still last. */
  columnOf(panel) {
    if (panel.kind === "grid") return this.pictures;
    const filled = this.board.links.some((l) => l.kind === "ranking" && l.target === panel.name);
    return filled && !panel.large ? this.lists : this.aside;
  }

  actions(name) {
    return {
      hover: (atom) => {
        if ((this.hovered[name] ?? null) === atom) return;
        this.hovered = atom == null ? {} : { [name]: atom };
        this.draw();
        this.tell();
      },
      select: (atom) => {
        this.selected = { ...this.selected, [name]: atom };
        this.hovered = {}; // a pointer left lying somewhere must not outvote the reader
        this.draw();
        this.speak();
        this.tell();
      },
      unselect: () => {
        const { [name]: _, ...rest } = this.selected;
        this.selected = rest;
        this.draw();
        this.speak();
        this.tell();
      },
    };
  }

  /** What each panel stands at: hovered, else selected; a picture rests where it last was. */
  current() {
    const now = { ...this.selected, ...this.hovered };
    for (const [name, view] of this.views) {
      if (view instanceof Picture) now[name] ??= view.last;
    }
    return now;
  }

  draw() {
    const { board } = this;
    const now = this.current();
    for (const [name, view] of this.views) {
      const selected = this.selected[name] ?? null;
      const hovered = this.hovered[name] ?? null;
      if (view instanceof Picture) {
        view.mark(selected, hovered);
        const heat = linkInto(board, "heat", name, { ...this.selected, ...this.hovered });
        view.light(heat ? rowOf(heat, "weights", now[heat.source]) : null);
      } else {
        const rows = rowsOf(board, name, now, this.limits[name]);
        const icons = (atom, canvas) => this.icons.draw(board, name, atom, canvas);
        view.fill(rows, icons, { selected, hovered }, this.signed(name));
      }
    }
    setText(this.caption, describe(board, now));
  }

  /** Whether a list has values below zero anywhere, so that all its bars start in the middle. */
  signed(name) {
    const panel = this.board.panels.get(name);
    panel.signed ??= [
      panel.values,
      ...this.board.links.filter((l) => l.kind === "ranking" && l.target === name).map((l) => l.values),
    ].some((values) => values?.some((v) => v < 0));
    return panel.signed;
  }

  setLimit(name, n) {
    this.limits[name] = n;
    this.views.get(name).update(this.board.panels.get(name), n);
    this.draw();
  }

  relimit() {
    for (const [name, n] of Object.entries(this.model.get("shown") ?? {})) {
      if (this.views.has(name)) this.setLimit(name, n);
    }
  }

  /** Icons that arrived after the board. */
  stream() {
    const streamed = this.model.get("streamed") ?? {};
    for (const [name, { board, sheet, icon_of }] of Object.entries(streamed)) {
      const panel = this.board?.panels.get(name);
      if (!panel || board !== this.board.key) continue;
      panel.sheet = sheet;
      panel.icon_of = Int32Array.from(icon_of);
    }
    if (this.board) this.draw();
  }

  /** The selection was changed from outside. */
  follow() {
    const asked = this.model.get("selected") ?? {};
    const valid = ([name, atom]) => atom >= 0 && atom < this.board.panels.get(name)?.size;
    const next = Object.fromEntries(Object.entries(asked).filter(valid));
    if (JSON.stringify(next) === JSON.stringify(this.selected)) return;
    this.selected = next;
    this.draw();
  }

  /** Say to a screen reader what is selected; hovering says nothing. */
  speak() {
    setText(this.spoken, this.caption.textContent || "Nothing selected");
  }

  /** Tell the model, seldom enough not to flood a kernel. */
  tell() {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.model.set("selected", { ...this.selected });
      this.model.set("hovered", { ...this.hovered });
      this.model.save_changes();
    }, TELL_EVERY);
  }
}

export function render({ model, el }) {
  const view = new BoardView(model, el);
  return () => view.destroy();
}
