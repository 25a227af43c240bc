// What a view is drawn from: how things stand for one panel of the board.

import { goesBothWays, rowsOf, sayingOf } from "./answers.js";

/** How things stand for the panel `name`; what a view does not ask for is not computed. */
export class Reading {
  /** `now` is what each panel stands at, see `Selection.current`. */
  constructor(reader, icons, name, now) {
    this.reader = reader;
    this.icons = icons;
    this.name = name;
    this.all = now;
  }

  /** The board as the reader sees it. */
  get board() {
    return this.reader.shown;
  }

  /** The panel as the reader sees it: with names given and pictures that have arrived. */
  get panel() {
    return this.other(this.name);
  }

  /** What the panel stands at: hovered, else selected, else null. */
  get now() {
    return this.all[this.name] ?? null;
  }

  /** What is marked in it: {selected, hovered}, null for nothing. */
  get marked() {
    return this.reader.marked(this.name);
  }

  /** The boxes of what is marked in another panel of its scene: {selected, hovered}, null for nothing. */
  get elsewhere() {
    return this.reader.markedElsewhere(this.name);
  }

  /** How it is lit by what is selected elsewhere: {weights, signed, scale, law} or null. */
  get light() {
    return this.reader.lightInto(this.name);
  }

  /** What it answers: {rows: [[unit, value], ...], signed: whether values go both ways, law, scale, note}. */
  get answer() {
    const { board, name } = this;
    const answer = this.reader.answer(name, this.all);
    return {
      rows: answer.rows,
      signed: goesBothWays(this.reader.board, name),
      ...sayingOf(board, name, answer),
    };
  }

  /** Another panel of the board. */
  other(name) {
    return this.board.panels.get(name);
  }

  /** The first rows of any list for a selection {panel: atom}. */
  rowsOf(name, selected, limit) {
    return rowsOf(this.board, name, selected, limit);
  }

  /** Draw the icon of an atom, of this panel or another; says whether it is its "own", a "blend" or "none". */
  icon(atom, canvas, name = this.name) {
    return this.icons.draw(this.board, name, atom, canvas);
  }
}
