// What a board answers to a selection: rows of lists, light in pictures, sentences. Pure: no kind is named here.

import { formatValue } from "./format.js";
import { linkKind, linksThat } from "./links/registry.js";
import { kindOf } from "./panels/registry.js";
import { answering, asking } from "./trail.js";

/** How a sentence calls an atom. */
export function labelOf(panel, atom) {
  return kindOf(panel).label(panel, atom);
}

/** Whether something can be the selection of a panel. */
export function selectable(panel, selection) {
  return panel != null && kindOf(panel).has(panel, selection);
}

/** A selection at the same place of another panel; null where there is none, or the panel is of another kind. */
export function carriedTo(panel, selection, from) {
  return kindOf(from) === kindOf(panel) ? kindOf(panel).carry(selection, from, panel) : null;
}

/** The link that does something, "rows" or "light", into `target` from the first of its sources that is selected. */
export function linkInto(board, what, target, selected) {
  return linksThat(board, what).find((l) => l.target === target && selected[l.source] != null);
}

/**
 * The link that fills a list and the atom of its source that decides, or null. A panel without one speaks for
 * the same place of a panel of its scene that has one.
 */
function fillingOf(board, name, selected) {
  const direct = linkInto(board, "rows", name, selected);
  if (direct) return { link: direct, atom: selected[direct.source] };
  for (const link of linksThat(board, "rows")) {
    const source = board.panels.get(link.source);
    if (link.target !== name || source.scene == null) continue;
    for (const panel of board.panels.values()) {
      if (panel.scene === source.scene && selected[panel.name] != null) {
        return { link, atom: carriedTo(source, selected[panel.name], panel) };
      }
    }
  }
  return null;
}

/** What a list shows, [[unit, value], ...]: what fills it for what is selected, or its own values. */
export function rowsOf(board, name, selected, limit) {
  return answerOf(board, name, selected, limit).rows;
}

/** What a list shows, and the link and the atom of its source that decided: {rows, link, atom}. */
export function answerOf(board, name, selected, limit) {
  const panel = board.panels.get(name);
  if (board.trail?.lists.includes(name)) return trailAnswer(board, panel, selected, limit);
  const found = fillingOf(board, name, board.trail ? asking(board.trail, selected) : selected);
  return found ? { ...found, rows: filledRows(found, limit) } : { rows: ownRows(panel, limit) };
}

/** What is to be said of an answer: the law of its values, the value of a full bar, and a note. */
export function sayingOf(board, name, { link, atom }) {
  const { scale } = board.panels.get(name);
  if (!link) return { law: "", scale, note: "" };
  const said = linkKind(link).said(link, atom, labelOf(board.panels.get(link.source), atom));
  return { ...said, scale: said.scale ?? scale };
}

/**
 * The same for a list of a trail. The unit asked about is always among its rows: where no answer names it, in the
 * last one, with the list's own value.
 */
function trailAnswer(board, panel, selected, limit) {
  const { questions, asked } = answering(board.trail, panel.name, selected);
  const shows = ({ rows }) => asked == null || rows.some(([atom]) => atom === asked);
  const answers = questions.flatMap(([source, atom]) => {
    const link = linkInto(board, "rows", panel.name, { [source]: atom });
    return link ? [{ rows: filledRows({ link, atom }, limit), link, atom }] : [];
  });
  const answer = answers.find(shows) ?? answers.at(-1) ?? { rows: ownRows(panel, limit) };
  if (panel.values && !shows(answer)) answer.rows.splice(-1, 1, [asked, panel.values[asked]]);
  return answer;
}

function filledRows({ link, atom }, limit) {
  return linkKind(link).rows(link, atom, limit);
}

function ownRows(panel, limit) {
  const { values } = panel;
  if (!values) return [];
  const order = Array.from(values.keys());
  order.sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]) || a - b);
  return order.slice(0, limit).map((atom) => [atom, values[atom]]);
}

const signs = new WeakMap(); // board -> Map of list -> whether it goes both ways

/** Whether a list has values below zero anywhere, so that all its bars start in the middle. */
export function goesBothWays(board, name) {
  if (!signs.has(board)) signs.set(board, new Map());
  const known = signs.get(board);
  if (!known.has(name)) {
    const filling = linksThat(board, "rows").filter((link) => link.target === name);
    const own = board.panels.get(name).values?.some((value) => value < 0);
    known.set(name, Boolean(own) || filling.some((link) => linkKind(link).signed(link)));
  }
  return known.get(name);
}

/** How a panel is lit by the first of these selections, [[panel, selection], ...], that lights anything. */
export function lightOf(board, name, selections) {
  for (const [source, selection] of selections) {
    const link = linkInto(board, "light", name, { [source]: selection });
    const panel = board.panels.get(source);
    const lit = link && linkKind(link).light(link, selection, kindOf(panel).atoms(panel, selection));
    if (lit) return lit.silent ? null : { ...lit, board };
  }
  return null;
}

/** The caption for what is selected: the first sentence that speaks of nothing else; empty if none does. */
export function describe(board, selected) {
  const spoken = board.trail ? asking(board.trail, selected) : selected;
  for (const sentence of board.captions) {
    const text = filled(sentence, board, spoken);
    if (text != null) return text;
  }
  return "";
}

function filled(sentence, board, selected) {
  let complete = true;
  const text = sentence.replace(/\{(\w+)(?:\.(\d+)(\.value)?)?\}/g, (_, name, row, value) => {
    const panel = board.panels.get(name);
    if (panel && row === undefined && selected[name] != null) return labelOf(panel, selected[name]);
    const pair = panel && row !== undefined && rowsOf(board, name, selected, panel.most)[row - 1];
    if (!pair) {
      complete = false;
      return "";
    }
    return value ? formatValue(pair[1], panel.format) : labelOf(panel, pair[0]);
  });
  return complete ? text : null;
}
