// The view of any Board: state, links and layout. Everything runs here, without a kernel.

import { Controls } from "./controls.js";
import { decodeBoard, describe, linkInto, rowOf, rowsOf } from "./data.js";
import { make, newId, setText } from "./dom.js";
import { cellBox, sameplace } from "./geometry.js";
import { Icons } from "./icons.js";
import { Picture } from "./picture.js";
import { Scene } from "./scene.js";
import { watchTheme } from "./theme.js";
import { Units } from "./units.js";

const TELL_EVERY = 50; // milliseconds between messages to the model

/** Draws the model's board into an element and keeps the two in step. */
class BoardView {
  constructor(model, element) {
    this.model = model;
    this.id = newId();
    this.views = new Map(); // panel name -> Picture or Units
    this.scenes = new Map(); // name -> Scene
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
      make("div", { class: "lx-head" }, this.controls.element, this.shared),
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
        const same = panel.labels.indexOf(old.labels[atom]);
        carried[panel.name] = same < 0 ? null : same;
      } else if (!old) carried[panel.name] = panel.start;
      const asked = wanted[panel.name];
      if (Number.isInteger(asked) && asked >= 0 && asked < panel.size) carried[panel.name] = asked;
      if (panel.kind === "units") this.limits[panel.name] ??= panel.shown;
    }
    this.board = board;
    this.selected = {};
    for (const name of [...Object.keys(wanted), ...this.order(board)]) {
      const taken = this.sceneOf(name) && this.inScene(name).some((other) => this.selected[other] != null);
      if (carried[name] != null && !taken) this.selected[name] = carried[name];
    }
    this.hovered = {};
    this.icons.keep([...board.panels.values()]);
    this.layOut();
    this.draw();
    this.tell();
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
    this.root.classList.toggle("lx-many", grids.length > 1);
    for (const panel of board.panels.values()) {
      const Kind = panel.kind === "grid" ? Picture : Units;
      let view = this.views.get(panel.name);
      if (!(view instanceof Kind)) {
        view = new Kind(`${this.id}-${panel.name}`, this.actions(panel.name), this.icons);
      }
      kept.set(panel.name, view);
      if (panel.kind === "grid") {
        const scene = this.scenes.get(panel.scene) ?? scenes.get(panel.scene) ?? new Scene();
        scenes.set(panel.scene, scene);
        view.update(panel, this.urls[panel.picture], scene);
      } else view.update(panel, this.limits[panel.name]);
      this.columnOf(panel, grids.length > 1).append(view.element);
    }
    for (const [name, view] of this.views) {
      if (kept.get(name) === view) continue;
      view.element.remove();
      view.destroy?.();
    }
    for (const [name, scene] of this.scenes) if (!scenes.has(name)) scene.destroy();
    this.views = kept;
    this.scenes = scenes;
    this.shared.replaceChildren();
    for (const [name, scene] of scenes) {
      const pictures = grids.filter((panel) => panel.scene === name).map((panel) => kept.get(panel.name));
      this.colour(scene);
      scene.gather(pictures);
      (pictures.length > 1 ? this.shared : pictures[0].tools).append(scene.tools);
    }
    if (this.withControls) this.controls.update(this.boards, board, this.limits);
  }

  /**
   * One picture first; lists the selection fills beside it; what stands still last. Several pictures and their
   * lists flow in the order the board has them.
   */
  columnOf(panel, many) {
    if (panel.kind === "grid" || many) return this.pictures;
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
        this.selected = { ...this.selected };
        if (this.sceneOf(name)) for (const other of this.inScene(name)) delete this.selected[other];
        delete this.selected[name]; // what is selected last comes last
        this.selected[name] = atom;
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

  /**
   * What each panel stands at: hovered, else selected. Of a scene, one picture counts; with nothing selected it
   * rests where it last was.
   */
  current() {
    const now = { ...this.selected };
    for (const [name, atom] of Object.entries(this.hovered)) {
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
      } else {
        const rows = rowsOf(board, name, now, this.limits[name]);
        const icons = (atom, canvas) => this.icons.draw(board, name, atom, canvas);
        view.fill(rows, icons, { selected, hovered }, this.signed(name));
      }
    }
    setText(this.caption, describe(board, now));
  }

  /** How a picture is lit: by what is hovered, else by what was selected last; null if by neither. */
  lightInto(name) {
    const scene = Object.keys(this.hovered).map((source) => this.sceneOf(source))[0];
    // Of a scene one cell counts, and that is the hovered one.
    const held = Object.entries(this.selected).filter(([source]) => !scene || this.sceneOf(source) !== scene);
    for (const [source, atom] of [...Object.entries(this.hovered), ...held.reverse()]) {
      const heat = linkInto(this.board, "heat", name, { [source]: atom });
      if (!heat) continue;
      const scale = Array.isArray(heat.scale) ? heat.scale[atom] : heat.scale;
      return { ...heat, scale, weights: rowOf(heat, "weights", atom), board: this.board };
    }
    return null;
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
