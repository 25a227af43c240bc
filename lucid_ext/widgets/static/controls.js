// The controls of a page without a kernel: variants computed ahead, and how many rows to show.

import { make } from "./dom.js";
import { kindOf } from "./panels/registry.js";

const NUMBER = /^[-+]?\d+(\.\d+)?(\/\d+)?$/; // the notebook's controls have the same

/** The options of each control over a set of boards: Map of name -> options. */
export function optionsOf(boards) {
  const found = new Map();
  for (const { choice } of boards) {
    for (const [name, option] of Object.entries(choice)) {
      if (!found.has(name)) found.set(name, []);
      if (!found.get(name).includes(option)) found.get(name).push(option);
    }
  }
  for (const options of found.values()) {
    if (options.every((option) => NUMBER.test(option))) options.sort((a, b) => number(a) - number(b));
  }
  return found;
}

/** "0.5" or "4/255" as a number. */
function number(text) {
  const [over, under = 1] = text.split("/").map(Number);
  return over / under;
}

/** The board for a choice; where that was not computed, one that has at least `name` so. */
export function boardFor(boards, choice, name) {
  const fits = (board, names) => names.every((n) => board.choice[n] === choice[n]);
  return boards.find((b) => fits(b, Object.keys(choice))) ?? boards.find((b) => fits(b, [name]));
}

/**
 * Controls for variants, sliders where all options are numbers, and for lengths of lists. `actions`:
 * show(board), limit(list, n). They stay in place while the reader uses them: `update` only tells them how
 * things stand.
 */
export class Controls {
  constructor(actions) {
    this.actions = actions;
    this.element = make("div", { class: "lx-controls" });
    this.shape = "";
    this.stands = [];
  }

  update(boards, board, limits) {
    const options = [...optionsOf(boards)].filter(([, values]) => values.length > 1);
    const lists = [...board.panels.values()].filter(
      (panel) => kindOf(panel).adjustable(panel) && panel.most > 1 && panel.most !== panel.shown,
    );
    const shape = JSON.stringify([options, lists.map((panel) => [panel.name, panel.most])]);
    if (shape !== this.shape) {
      this.shape = shape;
      const made = [
        ...options.map(([name, values]) => this.option(name, values)),
        ...lists.map((panel) => this.length(panel, lists.length)),
      ];
      this.stands = made.map(([, stand]) => stand);
      this.element.replaceChildren(...made.map(([element]) => element));
    }
    this.now = { boards, board };
    for (const stand of this.stands) stand(board, limits);
  }

  /** Show the variant that has `option` for control `name`. */
  choose(name, option) {
    const { boards, board } = this.now;
    this.actions.show(boardFor(boards, { ...board.choice, [name]: option }, name));
  }

  option(name, options) {
    if (options.every((option) => NUMBER.test(option))) {
      const [element, stand] = slider(name, 0, options.length - 1, (i) => [
        options[i],
        () => this.choose(name, options[i]),
      ]);
      return [element, (board) => stand(options.indexOf(board.choice[name]))];
    }
    const select = make("select", { onchange: () => this.choose(name, select.value) });
    select.append(...options.map((option) => make("option", { value: option }, option)));
    const stand = (board) => {
      select.value = board.choice[name];
    };
    return [make("label", {}, `${name} `, select), stand];
  }

  length(panel, count) {
    const label = count > 1 ? `rows of ${panel.title}` : "number shown";
    const act = (n) => [String(n), () => this.actions.limit(panel.name, n)];
    const [element, stand] = slider(label, 1, panel.most, act);
    return [element, (_, limits) => stand(limits[panel.name])];
  }
}

/** A labelled slider; `at(value)` says what to print there and what to do. Returns it and how to set it. */
function slider(label, min, max, at) {
  const output = make("output", {});
  const print = (value) => {
    output.textContent = at(value)[0];
    input.setAttribute("aria-valuetext", at(value)[0]);
  };
  const input = make("input", {
    type: "range",
    min,
    max,
    oninput: () => {
      print(Number(input.value));
      at(Number(input.value))[1]();
    },
  });
  const stand = (value) => {
    if (Number(input.value) !== value || !output.textContent) {
      input.value = value;
      print(value);
    }
  };
  return [make("label", {}, `${label} `, input, output), stand];
}
