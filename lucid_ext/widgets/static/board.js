// The view of any Board: state, links and layout. Everything runs here, without a kernel.

import { Cards } from "./cards.js";
import { Columns } from "./columns.js";
import { Controls } from "./controls.js";
import { answerOf, decodeBoard, describe, linkInto, renamed, rowOf, sayingOf, selectable } from "./data.js";
import { Dials } from "./dials.js";
import { make, newId, setText } from "./dom.js";
import { Flow } from "./flow.js";
import { cellBox, sameplace } from "./geometry.js";
import { Icons } from "./icons.js";
import { Picture } from "./picture.js";
import { Scene } from "./scene.js";
import { watchTheme } from "./theme.js";
import { ask, asking, begun, carried, goTo, selectionOf, stepsOf } from "./trail.js";
import { Units } from "./units.js";

const KINDS = { grid: Picture, units: Units, cards: Cards, flow: Flow };
const TELL_EVERY = 50; // milliseconds between messages to the model

/** Draws the model's board into an element and keeps the two in step. */
class BoardView {
  constructor(model, element) {
    this.model = model;
    this.id = newId();
    this.views = new Map(); // panel name -> one of KINDS
    this.scenes = new Map(); // name -> Scene
    this.dials = new Map(); // "source target" -> Dials
    this.selected = {};
    this.hovered = {};
    this.limits = {};
    this.icons = new Icons(() => this.arrived());
    this.title = make("h2", { id: `${this.id}-title` });
    this.reading = make("p", { class: "lx-reading" });
    this.controls = new Controls({
      show: (board) => this.show(board),
      limit: (name, n) => this.setLimit(name, n),
    });
    this.shared = make("div", { class: "lx-shared" });
    this.flows = make("div", { class: "lx-flows" });
    this.deck = make("div", { class: "lx-deck" });
    this.pictures = make("div", { class: "lx-pictures" });
    this.lists = make("div", { class: "lx-lists" });
    this.aside = make("div", { class: "lx-aside" });
    this.history = null; // what was asked of the lists of a trail
    this.columns = new Columns(`${this.id}-trail`, { go: (at) => this.travel(goTo(this.history, at)) });
    this.panels = make(
      "div",
      { class: "lx-panels" },
      this.pictures,
      this.lists,
      this.aside,
      this.columns.element,
    );
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
      make("div", { class: "lx-head" }, this.controls.element, this.shared),
      this.deck,
      this.flows,
      this.panels,
      this.caption,
      this.formula,
      this.status,
      this.spoken,
    );
    this.columns.listen(this.root);
    element.append(this.root);
    this.handlers = {
      "change:payload": () => this.load(),
      "change:streamed": () => this.stream(),
      "change:selected": () => this.follow(),
      "change:shown": () => this.relimit(),
      "change:answer": () => this.draw(),
      "change:status": () => setText(this.status, model.get("status") ?? ""),
    };
    for (const [event, handler] of Object.entries(this.handlers)) model.on(event, handler);
    this.stopTheme = watchTheme((dark) => {
      this.dark = dark;
      this.root.classList.toggle("lx-dark", dark);
      for (const scene of this.scenes.values()) this.colour(scene);
    });
    setText(this.status, model.get("status") ?? "");
    this.load();
  }

  destroy() {
    for (const [event, handler] of Object.entries(this.handlers)) this.model.off(event, handler);
    clearTimeout(this.timer);
    this.stopTheme();
    for (const scene of this.scenes.values()) scene.destroy();
    for (const view of this.views.values()) view.destroy?.();
    this.root.remove();
  }

  /** Take the model's payload: its boards, the first of which is shown. */
  load() {
    const payload = this.model.get("payload");
    if (!payload?.boards) return;
    this.urls = payload.pictures;
    this.boards = payload.boards.map((spec) => decodeBoard(spec, payload.sheets));
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
        carried[panel.name] = renamed(atom, old, panel);
      } else if (!old) carried[panel.name] = panel.start ?? null;
      const asked = wanted[panel.name];
      if (selectable(panel, asked)) carried[panel.name] = asked;
      if ("shown" in panel) this.limits[panel.name] = this.limitOf(panel, old);
    }
    this.board = board;
    this.selected = {};
    for (const name of [...Object.keys(wanted), ...this.order(board)]) {
      const taken = this.sceneOf(name) && this.inScene(name).some((other) => this.selected[other] != null);
      if (carried[name] != null && !taken) this.selected[name] = carried[name];
    }
    this.hovered = {};
    this.remember(before, wanted);
    this.icons.keep([...board.panels.values()]);
    this.layOut();
    this.draw();
    this.tell();
  }

  /** Take the history of questions over from the board before, and ask what is wanted. */
  remember(before, wanted) {
    const { trail } = this.board;
    if (!trail) this.history = null;
    else this.history = before?.trail ? carried(this.history, before, this.board) : begun(trail.start);
    this.askFor(wanted);
  }

  /** Ask what a selection from outside asks. */
  askFor(selected) {
    const { trail } = this.board;
    if (!trail) return;
    const known = ([name, atom]) => atom >= 0 && atom < this.board.panels.get(name)?.size;
    const wanted = Object.fromEntries(Object.entries(selected).filter(known));
    if (trail.lists.some((name) => wanted[name] != null)) {
      for (const [name, atom] of stepsOf(trail, wanted)) this.history = ask(this.history, name, atom);
    }
    this.selectAsked();
  }

  /** Select what is asked now; of all lists of the trail nothing else. */
  selectAsked() {
    const rest = Object.entries(this.selected).filter(([name]) => !this.inTrail(name));
    this.selected = { ...Object.fromEntries(rest), ...selectionOf(this.history) };
  }

  inTrail(name) {
    return Boolean(this.board.trail?.lists.includes(name));
  }

  /** Go to another question. */
  travel(history) {
    if (history.at === this.history.at && history.steps === this.history.steps) return;
    this.history = history;
    this.hovered = {};
    this.selectAsked();
    this.draw();
    this.speak();
    this.tell();
  }

  /** How many rows of a list to show: as many as the reader chose, else as its board has it. */
  limitOf(panel, old) {
    const now = this.limits[panel.name];
    return now == null || now === old?.shown ? panel.shown : Math.min(now, panel.most);
  }

  /** Panels in the order they may claim a scene's one selection: those that fill lists, as linked, then the rest. */
  order(board) {
    const fill = board.links.filter((l) => l.kind === "ranking").map((l) => l.source);
    return [...new Set([...fill, ...board.panels.keys()])];
  }

  sceneOf(name) {
    return this.board.panels.get(name)?.scene;
  }

  /** The grids that have one selection with this one, itself included. */
  inScene(name) {
    const scene = this.sceneOf(name);
    return [...this.board.panels.values()].filter((p) => p.scene === scene).map((p) => p.name);
  }

  colour(scene) {
    scene.dark = this.dark;
    for (const picture of scene.pictures) picture.drawTiles();
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
    const scenes = new Map();
    const grids = [...board.panels.values()].filter((panel) => panel.kind === "grid");
    this.root.classList.toggle("lx-many", grids.length > 1 && !board.trail);
    this.root.classList.toggle("lx-trailed", Boolean(board.trail));
    for (const panel of board.panels.values()) {
      const Kind = KINDS[panel.kind];
      let view = this.views.get(panel.name);
      if (view?.constructor !== Kind) {
        view = new Kind(`${this.id}-${panel.name}`, this.actions(panel.name), this.icons);
      }
      kept.set(panel.name, view);
      if (panel.kind === "grid") {
        const scene = this.scenes.get(panel.scene) ?? scenes.get(panel.scene) ?? new Scene();
        scenes.set(panel.scene, scene);
        view.update(panel, this.urls[panel.picture], scene);
      } else if (panel.kind === "flow") view.update(panel, this.pictureOf(panel));
      else view.update(panel, this.limits[panel.name], board);
      if (!this.inTrail(panel.name)) this.columnOf(panel, grids.length > 1).append(view.element);
      if (view.table) this.aside.append(view.table);
    }
    this.columns.element.hidden = !board.trail;
    this.columns.hold((board.trail?.lists ?? []).map((name) => kept.get(name)));
    const flowing = this.flows.childElementCount > 0;
    this.root.classList.toggle("lx-flowing", flowing);
    const above = flowing ? this.flows : this.panels; // what the caption speaks of
    if (above.nextElementSibling !== this.caption) above.after(this.caption);
    for (const [name, view] of this.views) {
      if (kept.get(name) === view) continue;
      view.element.remove();
      view.destroy?.();
    }
    for (const [name, scene] of this.scenes) if (!scenes.has(name)) scene.destroy();
    this.views = kept;
    this.scenes = scenes;
    this.layDials();
    this.shared.replaceChildren();
    for (const [name, scene] of scenes) {
      const pictures = grids.filter((panel) => panel.scene === name).map((panel) => kept.get(panel.name));
      this.colour(scene);
      scene.gather(pictures);
      (pictures.length > 1 ? this.shared : pictures[0].tools).append(scene.tools);
    }
    if (this.withControls) this.controls.update(this.boards, board, this.limits);
  }

  /** Dials stand before the list they change. */
  layDials() {
    const kept = new Map();
    for (const link of this.board.links.filter((l) => l.kind === "dials")) {
      const key = `${link.source} ${link.target}`;
      const dials = this.dials.get(key) ?? new Dials(`${this.id}-dials-${link.target}`, () => this.turned());
      dials.update(link, this.board.panels.get(link.source), this.model.get("answers"));
      kept.set(key, dials);
      this.views.get(link.target).element.before(dials.element);
    }
    for (const [key, dials] of this.dials) if (!kept.has(key)) dials.element.remove();
    this.dials = kept;
  }

  turned() {
    this.draw();
    this.tell();
  }

  /** What the dials make of the lists they lead to; an answer counts if it is about this board. */
  turn() {
    const answer = this.model.get("answer");
    for (const dials of this.dials.values()) {
      const target = this.board.panels.get(dials.link.target);
      target.turned = dials.values(answer?.board === this.board.key ? answer : null, target.turned ?? null);
    }
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
    this.layDials();
    this.draw();
    this.speak();
    this.tell();
  }

  /**
   * Cards above everything. One picture first; lists the selection fills beside it; what stands still last.
   * Several pictures and their lists flow in the order the board has them, and so does what stands beside the
   * columns of a trail.
   */
  columnOf(panel, many) {
    if (panel.kind === "cards") return this.deck;
    if (panel.kind === "flow") return this.flows;
    if (panel.kind === "grid" || many || this.board.trail) return this.pictures;
    if (panel.column != null) return [this.pictures, this.lists, this.aside][panel.column];
    const filled = this.board.links.some((l) => l.kind === "ranking" && l.target === panel.name);
    return filled && !panel.large ? this.lists : this.aside;
  }

  /** The picture that nodes of a flow have places in: the grid they light, the link and its picture. */
  pictureOf(flow) {
    const heat = this.board.links.find((l) => l.kind === "heat" && l.source === flow.name);
    const grid = heat && this.board.panels.get(heat.target);
    return heat ? { heat, grid, url: this.urls[grid.picture] } : null;
  }

  actions(name) {
    return {
      hover: (atom) => {
        if (String(this.hovered[name] ?? null) === String(atom)) return;
        this.hovered = atom == null ? {} : { [name]: atom };
        this.draw();
        this.tell();
      },
      select: (atom) => {
        if (this.inTrail(name)) return this.travel(ask(this.history, name, atom));
        this.selected = { ...this.selected };
        if (this.sceneOf(name)) for (const other of this.inScene(name)) delete this.selected[other];
        delete this.selected[name]; // what is selected last comes last
        this.selected[name] = atom;
        this.hovered = {}; // a pointer left lying somewhere must not outvote the reader
        this.draw();
        this.speak();
        this.tell();
      },
      rename: (atom, label) => this.rename(name, atom, label),
      unselect: () => {
        if (this.inTrail(name)) return this.travel(goTo(this.history, this.history.at - 1));
        const { [name]: _, ...rest } = this.selected;
        this.selected = rest;
        this.draw();
        this.speak();
        this.tell();
      },
    };
  }

  /**
   * What each panel stands at: hovered, else selected. Of a scene, one picture counts; with nothing selected it
   * rests where it last was.
   */
  current() {
    const { trail } = this.board;
    const now = trail ? asking(trail, this.selected) : { ...this.selected };
    for (const [name, atom] of Object.entries(this.hovered)) {
      if (this.inTrail(name)) for (const other of trail.lists) delete now[other];
      if (this.sceneOf(name)) for (const other of this.inScene(name)) delete now[other];
      now[name] = atom;
    }
    for (const scene of this.scenes.values()) {
      const names = scene.pictures.map((picture) => picture.panel.name);
      if (names.some((name) => now[name] != null)) continue;
      now[scene.active.panel.name] = scene.active.last;
    }
    return now;
  }

  /** The box of the cell of another picture of the scene that is in `atoms`, or null. */
  elsewhere(name, atoms) {
    const other = this.inScene(name).find((one) => one !== name && atoms[one] != null);
    if (other === undefined) return null;
    const { rows, cols } = this.board.panels.get(other);
    return cellBox(atoms[other], rows, cols);
  }

  draw() {
    const { board } = this;
    const now = this.current();
    const asked = board.trail ? asking(board.trail, this.selected) : {};
    this.turn();
    for (const [name, view] of this.views) {
      const selected = this.selected[name] ?? null;
      const hovered = this.hovered[name] ?? null;
      if (view instanceof Picture) {
        view.mark(selected, hovered, {
          selected: this.elsewhere(name, this.selected),
          hovered: this.elsewhere(name, this.hovered),
        });
        view.drawTiles();
        view.light(this.lightInto(name));
      } else if (view instanceof Flow) view.draw(now[name] ?? [], selected ?? []);
      else {
        // Columns answer what was picked: they must not change under a pointer on its way.
        const answer = answerOf(board, name, this.inTrail(name) ? this.selected : now, this.limits[name]);
        const icons = (atom, canvas) => this.icons.draw(board, name, atom, canvas);
        const marks = { selected: this.inTrail(name) && !(name in asked) ? null : selected, hovered };
        view.fill(answer.rows, icons, marks, this.signed(name), sayingOf(board, name, answer));
      }
    }
    if (this.history) this.drawWay(now);
    setText(this.caption, describe(board, now));
  }

  /** The way to the present question, and a remark on what is pointed at. */
  drawWay(now) {
    const { board } = this;
    const [name, atom] = stepsOf(board.trail, now).at(-1);
    const note = board.panels.get(name).notes[atom] ?? "";
    const icon = (list, unit, canvas) => this.icons.draw(board, list, unit, canvas);
    this.columns.draw(board, this.history, icon, note && `${board.panels.get(name).labels[atom]}: ${note}`);
  }

  /** How a picture is lit: by what is hovered, else by what was selected last; null if by neither. */
  lightInto(name) {
    const scene = Object.keys(this.hovered).map((source) => this.sceneOf(source))[0];
    // Of a scene one cell counts, and that is the hovered one.
    const held = Object.entries(this.selected).filter(([source]) => !scene || this.sceneOf(source) !== scene);
    for (const [source, atom] of [...Object.entries(this.hovered), ...held.reverse()]) {
      const heat = linkInto(this.board, "heat", name, { [source]: atom });
      const weights = heat && this.weightsOf(heat, atom);
      if (!weights) continue;
      const scale = Array.isArray(heat.scale) ? heat.scale[[atom].flat()[0]] : heat.scale;
      return { ...heat, scale, weights, board: this.board };
    }
    return null;
  }

  /** What an atom lights; of several nodes of a flow, each place as the one does that is strongest there. */
  weightsOf(heat, atom) {
    if (!Array.isArray(atom)) return rowOf(heat, "weights", atom);
    const { places } = this.board.panels.get(heat.source);
    const rows = atom.filter((node) => places.has(node)).map((node) => rowOf(heat, "weights", node));
    if (rows.length < 2) return rows[0] ?? null;
    const most = rows.map((row) => row.reduce((a, w) => Math.max(a, w), 0) || 1);
    return rows[0].map((_, i) => Math.max(...rows.map((row, k) => row[i] / most[k])));
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

  /** A sheet was decoded. */
  arrived() {
    this.draw();
    for (const scene of this.scenes.values()) scene.drawLens();
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
    const asked = this.model.get("selected") ?? {};
    const valid = ([name, atom]) => selectable(this.board.panels.get(name), atom);
    const next = Object.fromEntries(Object.entries(asked).filter(valid));
    if (JSON.stringify(next) === JSON.stringify(this.selected)) return;
    this.selected = next;
    this.askFor(next);
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
      const levels = [...this.dials.values()].map((dials) => [dials.link.source, dials.levels()]);
      if (levels.length) this.model.set("levels", Object.fromEntries(levels));
      this.model.save_changes();
    }, TELL_EVERY);
  }
}

export function render({ model, el }) {
  const view = new BoardView(model, el);
  return () => view.destroy();
}
