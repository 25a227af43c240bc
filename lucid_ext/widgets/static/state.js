// All that changes while a reader looks: one object. The boards that it is about are frozen.

import { WHOLE } from "./geometry.js";
import { linkKind, linksThat } from "./links/registry.js";
import { Selection } from "./selection.js";

const UNTOUCHED = { view: WHOLE, place: null, lens: true, sized: false };

/** What tells a link from others of its kind. */
export function linkKey({ source, target }) {
  return `${source} ${target}`;
}

/**
 * Beside what is selected, hovered and asked, see `Selection`:
 * `scenes` scene -> {view, place under the lens or null, lens: whether it is on, sized: whether tiles are},
 * `dials` {link: where they stand}, `turned` {list: the values they make of it},
 * `names` board -> {list: {unit: name}} that the reader gave,
 * `sprites` {panel: {board, sheet, icon_of}} that arrived after the board,
 * `dark` whether the page is.
 */
export class State extends Selection {
  constructor() {
    super();
    this.scenes = new Map();
    this.dials = {};
    this.turned = {};
    this.names = new WeakMap();
    this.sprites = {};
    this.dark = false;
    this.panels = new Map(); // name -> {from, panel}, as `panelAsShown` made it last
  }

  show(board, wanted) {
    const same = this.board === board;
    super.show(board, wanted);
    const scenes = [...this.active.keys()];
    this.scenes = new Map(scenes.map((name) => [name, this.scenes.get(name) ?? { ...UNTOUCHED }]));
    if (same) return;
    this.turned = {};
    this.dials = Object.fromEntries(
      linksThat(board, "View").map((link) => [linkKey(link), linkKind(link).start(link)]),
    );
  }

  /** Put the dials of a link, known by its key, somewhere. */
  turn(key, stands, answer) {
    this.dials = { ...this.dials, [key]: stands };
    this.answered(answer);
  }

  /** What dials make of the lists they lead to; an answer counts if it is about this board. */
  answered(answer) {
    if (!this.board) return;
    const fits = answer?.board === this.board.key ? answer : null;
    for (const link of linksThat(this.board, "View")) {
      const { target } = link;
      const before = this.turned[target] ?? null;
      const values = linkKind(link).values(link, this.dials[linkKey(link)], fits, before);
      if (values !== before) this.turned = { ...this.turned, [target]: values };
    }
  }

  /** Where dials stand, {list: [level for each unit]}. */
  levels() {
    return Object.fromEntries(
      linksThat(this.board, "View").map((link) => [
        link.source,
        linkKind(link).levels(link, this.dials[linkKey(link)]),
      ]),
    );
  }

  /** The reader has named a unit: lists named after its list follow. */
  rename(name, atom, label) {
    const known = this.names.get(this.board);
    this.names.set(this.board, { ...known, [name]: { ...known?.[name], [atom]: label } });
  }

  /** Pictures have arrived after the board: {panel: {board, sheet, icon_of}}. */
  stream(streamed) {
    const taken = ([name, entry]) => {
      const known = this.sprites[name];
      return [
        name,
        known?.entry === entry ? known : { ...entry, entry, icon_of: Int32Array.from(entry.icon_of) },
      ];
    };
    this.sprites = Object.fromEntries(Object.entries(streamed).map(taken));
  }

  /** A board with what the reader and the model have changed since it was made. */
  asShown(board) {
    const from = [board, this.names.get(board), this.sprites, this.turned];
    if (!this.made || from.some((part, i) => part !== this.made.from[i])) {
      const panels = new Map();
      for (const panel of board.panels.values()) panels.set(panel.name, this.panelAsShown(board, panel));
      this.made = { from, board: { ...board, panels } };
    }
    return this.made.board;
  }

  panelAsShown(board, panel) {
    const { name } = panel;
    const names = this.names.get(board);
    const sprites = this.sprites[name]?.board === board.key ? this.sprites[name] : null;
    const turned = (board === this.board && this.turned[name]) || null;
    const from = [panel, names?.[panel.named_after], names?.[name], sprites, turned];
    const before = this.panels.get(name);
    if (before && from.every((part, i) => part === before.from[i])) return before.panel;
    const made = from.slice(1).some(Boolean) ? changed(...from) : panel;
    this.panels.set(name, { from, panel: made });
    return made;
  }
}

function changed(panel, namedAfter, named, sprites, turned) {
  const made = { ...panel };
  const given = { ...namedAfter, ...named };
  if (namedAfter || named) made.labels = panel.labels.map((label, atom) => given[atom] ?? label);
  if (sprites) Object.assign(made, { sheet: sprites.sheet, icon_of: sprites.icon_of });
  if (turned) Object.assign(made, { values: turned, rest: panel.values });
  return made;
}
