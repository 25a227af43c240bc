// A history of questions to lists: pure, so that node can test it alone.
//
// A history is {steps, at}: all that was asked, [list, atom] each, and which of it is the present question.

/** A history that holds only the first question. */
export function begun(start) {
  return { steps: [start], at: 0 };
}

/** Ask something: what was ahead is forgotten, as in a browser. */
export function ask(history, list, atom) {
  const [asked, present] = history.steps[history.at];
  if (asked === list && present === atom) return history;
  const steps = [...history.steps.slice(0, history.at + 1), [list, atom]];
  return { steps, at: steps.length - 1 };
}

/** Go to one of the questions; past either end it stays there. */
export function goTo(history, at) {
  return { ...history, at: Math.max(0, Math.min(history.steps.length - 1, at)) };
}

/** The selection of a history: the present question last, before it the one its list goes on answering. */
export function selectionOf({ steps, at }) {
  const [list, atom] = steps[at];
  const before = steps
    .slice(0, at)
    .filter(([other]) => other !== list)
    .at(-1);
  return Object.fromEntries(before ? [before, [list, atom]] : [[list, atom]]);
}

/** The same history on another board, whose units are known by their names; it begins where that one begins. */
export function carried(history, before, board) {
  const steps = [board.trail.start];
  let at = 0;
  for (const [i, [list, atom]] of history.steps.entries()) {
    const [old, panel] = [before, board].map((b) => b.panels.get(list));
    const same = old && panel ? panel.labels.indexOf(old.labels[atom]) : -1;
    const begins = steps.length === 1 && String([list, same]) === String(board.trail.start);
    if (same >= 0 && board.trail.lists.includes(list) && !begins) steps.push([list, same]);
    if (i <= history.at) at = steps.length - 1;
  }
  return { steps, at };
}

/** What was asked, [[list, atom], ...], the present question last: of a selection, in its order, or the start. */
export function stepsOf(trail, selected) {
  const steps = Object.entries(selected).filter(([name, atom]) => trail.lists.includes(name) && atom != null);
  return steps.length ? steps : [trail.start];
}

/** A selection with only the present question left of all that was asked. */
export function asking(trail, selected) {
  const rest = Object.entries(selected).filter(([name]) => !trail.lists.includes(name));
  return Object.fromEntries([...rest, stepsOf(trail, selected).at(-1)]);
}

/**
 * Whom a list answers: questions it could answer, of which the first that it can is to be taken, and the unit that
 * must be among its rows, or null. The list that holds the question goes on answering the one before it; where there
 * is none, it answers itself.
 */
export function answering(trail, name, selected) {
  const steps = stepsOf(trail, selected);
  const [asked, atom] = steps.at(-1);
  const questions = [...[...steps].reverse(), trail.start].filter(([list]) => list !== name);
  return asked === name
    ? { questions: [...questions, [name, atom]], asked: atom }
    : { questions, asked: null };
}
