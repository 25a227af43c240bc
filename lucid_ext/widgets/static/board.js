// The view of any Board: keeps model, reader and page in step. Everything runs here, without a kernel.

import { decodeBoard, describe, goesBothWays, sayingOf } from "./data.js";
import { setText } from "./dom.js";
import { Flow } from "./flow.js";
import { Icons } from "./icons.js";
import { Layout } from "./layout.js";
import { Picture } from "./picture.js";
import { Selection } from "./selection.js";
import { watchTheme } from "./theme.js";
import { stepsOf } from "./trail.js";

const TELL_EVERY = 50; // milliseconds between messages to the model

/** Draws the model's board into an element and keeps the two in step. */
class BoardView {
  constructor(model, element) {
    this.model = model;
    this.reader = new Selection();
    this.icons = new Icons(() => this.arrived());
    this.layout = new Layout(
      {
        of: (name) => this.actions(name),
        show: (board) => this.show(board),
        limit: (name, n) => this.setLimit(name, n),
        go: (at) => this.settle(this.reader.go(at)),
        turned: () => this.turned(),
      },
      this.icons,
    );
    element.append(this.layout.root);
    this.handlers = {
      "change:payload": () => this.load(),
      "change:streamed": () => this.stream(),
      "change:selected": () => this.follow(),
      "change:shown": () => this.relimit(),
      "change:answer": () => this.draw(),
      "change:status": () => this.report(),
    };
    for (const [event, handler] of Object.entries(this.handlers)) model.on(event, handler);
    this.stopTheme = watchTheme((dark) => this.layout.colour(dark));
    this.report();
    this.load();
  }

  destroy() {
    for (const [event, handler] of Object.entries(this.handlers)) this.model.off(event, handler);
    clearTimeout(this.timer);
    this.stopTheme();
    this.layout.destroy();
  }

  get board() {
    return this.reader.board;
  }

  /** Take the model's payload: its boards, the first of which is shown. */
  load() {
    const payload = this.model.get("payload");
    if (!payload?.boards) return;
    this.urls = payload.pictures;
    this.boards = payload.boards.map((spec) => decodeBoard(spec, payload.sheets));
    this.variants = payload.controls ? this.boards : null;
    // What the model has selected counts atoms of the board before, unless this is the first.
    this.show(this.boards[0], this.board ? {} : this.model.get("selected"));
    this.stream();
  }

  show(board, wanted) {
    this.reader.show(board, wanted);
    this.icons.keep([...board.panels.values()]);
    const { urls, variants } = this;
    const { limits } = this.reader;
    this.layout.update(board, { urls, limits, answers: this.model.get("answers"), variants });
    this.draw();
    this.tell();
  }

  /** What the reader does in a panel. */
  actions(name) {
    return {
      hover: (atom) => {
        if (!this.reader.hover(name, atom)) return;
        this.draw();
        this.tell();
      },
      select: (atom) => this.settle(this.reader.select(name, atom)),
      unselect: () => this.settle(this.reader.unselect(name)),
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

  turned() {
    this.draw();
    this.tell();
  }

  /** The reader has named a unit: lists named after its list follow. */
  rename(name, atom, label) {
    for (const panel of this.board.panels.values()) {
      if (panel.name === name || panel.named_after === name) panel.labels[atom] = label;
    }
    const names = this.model.get("names") ?? {};
    const { key } = this.board;
    const own = { ...names[key], [name]: { ...names[key]?.[name], [atom]: label } };
    this.model.set("names", { ...names, [key]: own });
    this.layout.layDials(this.board, this.model.get("answers"));
    this.settle(true);
  }

  /** What the dials make of the lists they lead to; an answer counts if it is about this board. */
  turn() {
    const answer = this.model.get("answer");
    for (const dials of this.layout.dials.values()) {
      const target = this.board.panels.get(dials.link.target);
      target.turned = dials.values(answer?.board === this.board.key ? answer : null, target.turned ?? null);
    }
  }

  draw() {
    const { board, reader } = this;
    const now = reader.current(this.layout.rests());
    this.turn();
    this.layout.point(Object.keys(reader.hovered).length > 0);
    for (const [name, view] of this.layout.views) {
      const marked = reader.marked(name);
      if (view instanceof Picture) {
        view.show(marked, reader.markedElsewhere(name), reader.lightInto(name));
      } else if (view instanceof Flow) view.draw(now[name] ?? [], marked.selected ?? []);
      else {
        const answer = reader.answer(name, now);
        const icons = (atom, canvas) => this.icons.draw(board, name, atom, canvas);
        view.fill(answer.rows, icons, marked, goesBothWays(board, name), sayingOf(board, name, answer));
      }
    }
    if (reader.history) this.drawWay(now);
    setText(this.layout.caption, describe(board, now));
  }

  /** The way to the present question, and a remark on what is pointed at. */
  drawWay(now) {
    const { board } = this;
    const [name, atom] = stepsOf(board.trail, now).at(-1);
    const note = board.panels.get(name).notes[atom] ?? "";
    const icon = (list, unit, canvas) => this.icons.draw(board, list, unit, canvas);
    const said = note && `${board.panels.get(name).labels[atom]}: ${note}`;
    this.layout.columns.draw(board, this.reader.history, icon, said);
  }

  setLimit(name, n) {
    this.reader.limits[name] = n;
    this.layout.views.get(name).update(this.board.panels.get(name), n);
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
    for (const scene of this.layout.scenes.values()) scene.drawLens();
  }

  /** Pictures that arrived after the board. */
  stream() {
    const streamed = this.model.get("streamed") ?? {};
    for (const [name, { board, sheet, icon_of }] of Object.entries(streamed)) {
      const panel = this.board?.panels.get(name);
      if (!panel || board !== this.board.key) continue;
      panel.sheet = sheet;
      panel.icon_of = Int32Array.from(icon_of);
    }
    if (this.board) this.icons.keep([...this.board.panels.values()]);
    if (this.board) this.draw();
  }

  /** The selection was changed from outside. */
  follow() {
    if (this.reader.follow(this.model.get("selected") ?? {})) this.draw();
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
      this.model.set("selected", { ...this.reader.selected });
      this.model.set("hovered", { ...this.reader.hovered });
      const levels = [...this.layout.dials.values()].map((dials) => [dials.link.source, dials.levels()]);
      if (levels.length) this.model.set("levels", Object.fromEntries(levels));
      this.model.save_changes();
    }, TELL_EVERY);
  }
}

export function render({ model, el }) {
  const view = new BoardView(model, el);
  return () => view.destroy();
}
