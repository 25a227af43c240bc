// The view of any Board: keeps model, state and page in step. Everything runs here, without a kernel.

import { describe, labelOf } from "./answers.js";
import { decodeBoard } from "./decode.js";
import { setText } from "./dom.js";
import { Icons } from "./icons.js";
import { Layout } from "./layout.js";
import { Reading } from "./reading.js";
import { State } from "./state.js";
import { watchTheme } from "./theme.js";
import { stepsOf } from "./trail.js";

const TELL_EVERY = 50; // milliseconds between messages to the model

/** Draws the model's board into an element and keeps the two in step. */
class BoardView {
  constructor(model, element) {
    this.model = model;
    this.state = new State();
    this.icons = new Icons(() => this.arrived());
    this.layout = new Layout(
      {
        of: (name) => this.actions(name),
        show: (board) => this.show(board),
        limit: (name, n) => this.setLimit(name, n),
        go: (at) => this.settle(this.state.go(at)),
        turn: (link, stands) => this.turn(link, stands),
      },
      this.icons,
      this.state,
    );
    element.append(this.layout.root);
    this.handlers = {
      "change:payload": () => this.load(),
      "change:streamed": () => this.stream(),
      "change:selected": () => this.follow(),
      "change:shown": () => this.relimit(),
      "change:answer": () => this.answered(),
      "change:status": () => this.report(),
    };
    for (const [event, handler] of Object.entries(this.handlers)) model.on(event, handler);
    this.stopTheme = watchTheme((dark) => this.colour(dark));
    this.report();
    this.load();
  }

  destroy() {
    for (const [event, handler] of Object.entries(this.handlers)) this.model.off(event, handler);
    clearTimeout(this.timer);
    this.stopTheme();
    this.layout.destroy();
  }

  /** Take the model's payload: its boards, the first of which is shown. */
  load() {
    const payload = this.model.get("payload");
    if (!payload?.boards) return;
    this.urls = payload.pictures;
    this.boards = payload.boards.map((spec) => decodeBoard(spec, payload.sheets));
    this.variants = payload.controls ? this.boards : null;
    const { board } = this.state;
    this.state.stream(this.model.get("streamed") ?? {});
    // What the model has selected counts atoms of the board before, unless this is the first.
    this.show(this.boards[0], board ? {} : this.model.get("selected"));
  }

  show(board, wanted) {
    this.state.show(board, wanted);
    this.state.answered(this.model.get("answer"));
    this.keepIcons();
    const { urls, variants } = this;
    this.layout.update(board, { urls, answers: this.model.get("answers"), variants });
    this.draw();
    this.tell();
  }

  /** What the reader does in a panel. */
  actions(name) {
    return {
      hover: (atom) => {
        if (!this.state.hover(name, atom)) return;
        this.draw();
        this.tell();
      },
      select: (atom) => this.settle(this.state.select(name, atom)),
      unselect: () => this.settle(this.state.unselect(name)),
      rename: (atom, label) => this.rename(name, atom, label),
    };
  }

  /** Show and say what is selected, if it changed. */
  settle(changed) {
    if (!changed) return;
    this.draw();
    this.speak();
    this.tell();
  }

  /** The reader has turned dials. */
  turn(link, stands) {
    this.state.turn(link, stands, this.model.get("answer"));
    this.draw();
    this.tell();
  }

  /** The model has answered to dials. */
  answered() {
    this.state.answered(this.model.get("answer"));
    this.draw();
  }

  /** The reader has named a unit. */
  rename(name, atom, label) {
    this.state.rename(name, atom, label);
    const names = this.model.get("names") ?? {};
    const { key } = this.state.board;
    const own = { ...names[key], [name]: { ...names[key]?.[name], [atom]: label } };
    this.model.set("names", { ...names, [key]: own });
    this.settle(true);
  }

  colour(dark) {
    this.state.dark = dark;
    this.layout.colour(dark);
    this.draw();
  }

  draw() {
    const { state, layout } = this;
    if (!state.board) return;
    const now = state.current();
    layout.point(Object.keys(state.hovered).length > 0);
    layout.draw((name) => new Reading(state, this.icons, name, now));
    if (state.history) this.drawWay(now);
    setText(layout.caption, describe(state.shown, now));
  }

  /** The way to the present question, and a remark on what is pointed at. */
  drawWay(now) {
    const { shown, history } = this.state;
    const [name, atom] = stepsOf(shown.trail, now).at(-1);
    const panel = shown.panels.get(name);
    const note = panel.notes[atom] ?? "";
    const icon = (list, unit, canvas) => this.icons.draw(shown, list, unit, canvas);
    const said = note && `${labelOf(panel, atom)}: ${note}`;
    this.layout.columns.draw(shown, history, icon, said);
  }

  setLimit(name, n) {
    this.state.limits[name] = n;
    this.layout.resize(name);
    this.draw();
  }

  relimit() {
    for (const [name, n] of Object.entries(this.model.get("shown") ?? {})) {
      if (this.layout.views.has(name)) this.setLimit(name, n);
    }
  }

  /** A sheet was decoded. */
  arrived() {
    this.draw();
    this.layout.arrived();
  }

  /** Pictures have arrived after the board. */
  stream() {
    this.state.stream(this.model.get("streamed") ?? {});
    if (this.state.board) this.keepIcons();
    this.draw();
  }

  keepIcons() {
    this.icons.keep([...this.state.shown.panels.values()]);
  }

  /** The selection was changed from outside. */
  follow() {
    if (this.state.follow(this.model.get("selected") ?? {})) this.draw();
  }

  /** Say how work in progress stands. */
  report() {
    setText(this.layout.status, this.model.get("status") ?? "");
  }

  /** Say to a screen reader what is selected; hovering says nothing. */
  speak() {
    setText(this.layout.spoken, this.layout.caption.textContent || "Nothing selected");
  }

  /** Tell the model, seldom enough not to flood a kernel. */
  tell() {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.model.set("selected", { ...this.state.selected });
      this.model.set("hovered", { ...this.state.hovered });
      const levels = this.state.levels();
      if (Object.keys(levels).length) this.model.set("levels", levels);
      this.model.save_changes();
    }, TELL_EVERY);
  }
}

export function render({ model, el }) {
  const view = new BoardView(model, el);
  return () => view.destroy();
}
