// What the reader has selected, points at and has asked: pure, so that node can test it alone.

import { answerOf, carriedTo, lightOf, selectable } from "./answers.js";
import { linksThat } from "./links/registry.js";
import { kindOf } from "./panels/registry.js";
import { ask, asking, begun, carried, goTo, selectionOf, stepsOf } from "./trail.js";

/**
 * Where a reader stands on one board after another: `selected` and `hovered` are {panel: atom}, what was selected last
 * comes last; `limits` {list: rows}; `history` what was asked of the lists of a trail, or null; `cells` {panel: atom}
 * where panels of scenes rest while nothing is selected; `active` scene -> panel, where the reader was last at work.
 * What the reader does returns whether that changed anything.
 */
export class Selection {
  constructor() {
    this.board = null;
    this.selected = {};
    this.hovered = {};
    this.limits = {};
    this.history = null;
    this.cells = {};
    this.active = new Map();
  }

  /** A board as the reader sees it. */
  asShown(board) {
    return board;
  }

  get shown() {
    return this.board && this.asShown(this.board);
  }

  /** Show a board; what is selected stays where it was, as far as the new one has such a place and none is `wanted`. */
  show(board, wanted = {}) {
    const before = this.shown;
    const kept = {};
    for (const panel of this.asShown(board).panels.values()) {
      const old = before?.panels.get(panel.name);
      const atom = this.selected[panel.name];
      if (!old) kept[panel.name] = panel.start ?? null;
      else if (atom != null) kept[panel.name] = carriedTo(panel, atom, old);
      const asked = wanted[panel.name];
      if (selectable(panel, asked)) kept[panel.name] = asked;
      if ("shown" in panel) this.limits[panel.name] = this.limitOf(panel, old);
    }
    this.board = board;
    this.selected = {};
    for (const name of [...Object.keys(wanted), ...this.order()]) {
      const taken = this.inScene(name).some((other) => this.selected[other] != null);
      if (kept[name] != null && !taken) this.selected[name] = kept[name];
    }
    this.hovered = {};
    this.remember(before, wanted);
    this.settle();
    this.rest();
  }

  /** Of each scene, take the panel the reader was last at work in, or the first; let all rest inside their grids. */
  settle() {
    const active = new Map();
    for (const { name, scene, size } of this.board.panels.values()) {
      if (scene == null) continue;
      if (!active.has(scene) || name === this.active.get(scene)) active.set(scene, name);
      this.cells[name] = Math.min(this.cells[name] ?? 0, size - 1);
    }
    this.active = active;
  }

  /** Panels of a scene rest where they are marked, or at the same place as another of them is. */
  rest() {
    for (const panel of this.board.panels.values()) {
      const { name, scene } = panel;
      if (scene == null) continue;
      const { selected, hovered } = this.marked(name);
      const other = this.inScene(name).find((one) => one !== name && this.selected[one] != null);
      const same = other && carriedTo(panel, this.selected[other], this.board.panels.get(other));
      this.cells[name] = selected ?? same ?? hovered ?? this.cells[name];
    }
  }

  /** How many rows of a list to show: as many as the reader chose, else as its board has it. */
  limitOf(panel, old) {
    const now = this.limits[panel.name];
    return now == null || now === old?.shown ? panel.shown : Math.min(now, panel.most);
  }

  /** Panels in the order they may claim a scene's one selection: those that fill lists, as linked, then the rest. */
  order() {
    const fill = linksThat(this.board, "rows").map((l) => l.source);
    return [...new Set([...fill, ...this.board.panels.keys()])];
  }

  /** Take the history of questions over from the board before, and ask what is wanted. */
  remember(before, wanted) {
    const { trail } = this.board;
    if (!trail) this.history = null;
    else this.history = before?.trail ? carried(this.history, before, this.shown) : begun(trail.start);
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

  sceneOf(name) {
    return this.board.panels.get(name)?.scene;
  }

  /** The panels that have one selection with this one, itself included. */
  inScene(name) {
    const scene = this.sceneOf(name);
    if (scene == null) return [];
    return [...this.board.panels.values()].filter((p) => p.scene === scene).map((p) => p.name);
  }

  /** Point at an atom of a panel, or with null at nothing. */
  hover(name, atom) {
    if (String(this.hovered[name] ?? null) === String(atom)) return false;
    this.hovered = atom == null ? {} : { [name]: atom };
    this.rest();
    return true;
  }

  select(name, atom) {
    if (this.inTrail(name)) return this.travel(ask(this.history, name, atom));
    this.selected = { ...this.selected };
    for (const other of this.inScene(name)) delete this.selected[other];
    delete this.selected[name]; // what is selected last comes last
    this.selected[name] = atom;
    this.hovered = {}; // a pointer left lying somewhere must not outvote the reader
    this.rest();
    return true;
  }

  unselect(name) {
    if (this.inTrail(name)) return this.go(this.history.at - 1);
    const { [name]: _, ...rest } = this.selected;
    this.selected = rest;
    return true;
  }

  /** Go to one of the questions of the history. */
  go(at) {
    return this.travel(goTo(this.history, at));
  }

  travel(history) {
    if (history.at === this.history.at && history.steps === this.history.steps) return false;
    this.history = history;
    this.hovered = {};
    this.selectAsked();
    return true;
  }

  /** Take a selection from outside, as far as the board has such atoms. */
  follow(wanted) {
    const valid = ([name, atom]) => selectable(this.board.panels.get(name), atom);
    const next = Object.fromEntries(Object.entries(wanted).filter(valid));
    if (JSON.stringify(next) === JSON.stringify(this.selected)) return false;
    this.selected = next;
    this.askFor(next);
    this.rest();
    return true;
  }

  /**
   * What each panel stands at: hovered, else selected. Of a scene one picture counts; where none is selected, the one
   * the reader was last at work in, where it rests.
   */
  current() {
    const { trail } = this.board;
    const now = trail ? asking(trail, this.selected) : { ...this.selected };
    for (const [name, atom] of Object.entries(this.hovered)) {
      if (this.inTrail(name)) for (const other of trail.lists) delete now[other];
      for (const other of this.inScene(name)) delete now[other];
      now[name] = atom;
    }
    for (const name of this.active.values()) {
      if (this.inScene(name).every((other) => now[other] == null)) now[name] = this.cells[name];
    }
    return now;
  }

  /** What is marked in a panel, {selected, hovered}, null for nothing; of a trail, only what is asked now. */
  marked(name) {
    const past = this.inTrail(name) && !(name in asking(this.board.trail, this.selected));
    return { selected: past ? null : (this.selected[name] ?? null), hovered: this.hovered[name] ?? null };
  }

  /** The boxes of what is marked in another picture of the scene, {selected, hovered}, null for nothing. */
  markedElsewhere(name) {
    return { selected: this.elsewhere(name, this.selected), hovered: this.elsewhere(name, this.hovered) };
  }

  elsewhere(name, atoms) {
    const other = this.inScene(name).find((one) => one !== name && atoms[one] != null);
    if (other === undefined) return null;
    const panel = this.board.panels.get(other);
    return kindOf(panel).box(panel, atoms[other]);
  }

  /** What a list answers to where the panels stand `now`. */
  answer(name, now) {
    // Columns answer what was picked: they must not change under a pointer on its way.
    return answerOf(this.shown, name, this.inTrail(name) ? this.selected : now, this.limits[name]);
  }

  /** How a picture is lit: by what is hovered, else by what was selected last; null if by neither. */
  lightInto(name) {
    const scene = Object.keys(this.hovered).map((source) => this.sceneOf(source))[0];
    // Of a scene one cell counts, and that is the hovered one.
    const held = Object.entries(this.selected).filter(
      ([source]) => scene == null || this.sceneOf(source) !== scene,
    );
    return lightOf(this.board, name, [...Object.entries(this.hovered), ...held.reverse()]);
  }
}
