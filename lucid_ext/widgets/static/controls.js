// The controls of a page without a kernel: variants computed ahead, and how many rows to show.

import { make } from "./dom.js";

/** The options of each control over a set of boards: Map of name -> options. */
export function optionsOf(boards) {
  const found = new Map();
  for (const { choice } of boards) {
    for (const [name, option] of Object.entries(choice)) {
      if (!found.has(name)) found.set(name, []);
      if (!found.get(name).includes(option)) found.get(name).push(option);
    }
  }
  return found;
}

/** The board for a choice; where that was not computed, one that has at least `name` so. */
export function boardFor(boards, choice, name) {
  const fits = (board, names) => names.every((n) => board.choice[n] === choice[n]);
  return boards.find((b) => fits(b, Object.keys(choice))) ?? boards.find((b) => fits(b, [name]));
}

/** Selects for variants and sliders for lists; `show(board)` and `limit(name, n)` act on them. */
export function makeControls(boards, current, limits, show, limit) {
  const row = make("div", { class: "lx-controls" });
  for (const [name, options] of optionsOf(boards)) {
    if (options.length < 2) continue;
    const select = make("select", {
      onchange: () => show(boardFor(boards, { ...current.choice, [name]: select.value }, name)),
    });
    for (const option of options) {
      const item = make("option", { value: option }, option);
      item.selected = option === current.choice[name];
      select.append(item);
    }
    row.append(make("label", {}, `${name} `, select));
  }
  for (const panel of current.panels.values()) {
    if (panel.kind !== "units" || panel.most <= 1 || panel.most === panel.shown) continue;
    const number = make("output", {}, String(limits[panel.name]));
    const slider = make("input", {
      type: "range",
      min: 1,
      max: panel.most,
      oninput: () => {
        number.textContent = slider.value;
        limit(panel.name, Number(slider.value));
      },
    });
    slider.value = limits[panel.name];
    row.append(make("label", {}, "number shown ", slider, number));
  }
  return row;
}
