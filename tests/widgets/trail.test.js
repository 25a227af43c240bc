// node --test tests/widgets/trail.test.js

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  answering,
  ask,
  asking,
  begun,
  carried,
  goTo,
  selectionOf,
  stepsOf,
} from "../../lucid_ext/widgets/static/trail.js";

const START = ["classes", 0];
const TRAIL = { lists: ["low", "high", "classes"], start: START };

const asked = (...steps) => steps.reduce((history, step) => ask(history, ...step), begun(START));

test("asking goes on, and forgets what was ahead", () => {
  let history = asked(["high", 3], ["low", 5]);
  assert.deepEqual(history, { steps: [START, ["high", 3], ["low", 5]], at: 2 });
  history = ask(goTo(history, 1), "low", 7);
  assert.deepEqual(history.steps, [START, ["high", 3], ["low", 7]]);
  assert.equal(history.at, 2);
});

test("asking the same again changes nothing", () => {
  const history = asked(["high", 3]);
  assert.equal(ask(history, "high", 3), history);
});

test("going past either end stays there", () => {
  const history = asked(["high", 3], ["low", 5]);
  assert.equal(goTo(history, -1).at, 0);
  assert.equal(goTo(history, 9).at, 2);
  assert.deepEqual(goTo(history, 1).steps, history.steps);
});

test("selected is what is asked, last, and before it what its list goes on answering", () => {
  assert.deepEqual(Object.entries(selectionOf(asked())), [START]);
  assert.deepEqual(Object.entries(selectionOf(asked(["high", 3], ["low", 5]))), [
    ["high", 3],
    ["low", 5],
  ]);
  // Twice in one list: both are found among the answers to the question before.
  assert.deepEqual(Object.entries(selectionOf(asked(["high", 3], ["high", 4]))), [START, ["high", 4]]);
  assert.deepEqual(Object.entries(selectionOf(goTo(asked(["high", 3], ["low", 5]), 1))), [
    START,
    ["high", 3],
  ]);
});

test("a list answers the question, and that which holds it the one before, or itself", () => {
  assert.deepEqual(answering(TRAIL, "low", { high: 3 }), {
    questions: [["high", 3], START],
    asked: null,
  });
  assert.deepEqual(answering(TRAIL, "low", { high: 3, low: 5 }), {
    questions: [["high", 3], START, ["low", 5]],
    asked: 5,
  });
  assert.deepEqual(answering(TRAIL, "classes", {}), { questions: [START], asked: 0 });
  assert.deepEqual(answering(TRAIL, "high", { image: 9 }), { questions: [START, START], asked: null });
});

test("of all that was asked only the present question is spoken of", () => {
  assert.deepEqual(asking(TRAIL, { image: 9, high: 3, low: 5 }), { image: 9, low: 5 });
  assert.deepEqual(asking(TRAIL, {}), { classes: 0 });
  assert.deepEqual(stepsOf(TRAIL, { low: null, image: 2 }), [START]);
});

test("another board has the same history, by the units' names", () => {
  const lists = (low, high, classes = ["a − b", "a", "b"]) => ({
    trail: TRAIL,
    panels: new Map(Object.entries({ low, high, classes }).map(([name, labels]) => [name, { labels }])),
  });
  const before = lists(["l:0", "l:1"], ["h:0", "h:1"]);
  const history = goTo(asked(["high", 1], ["low", 0], ["classes", 1]), 2);
  const same = carried(history, before, lists(["l:1", "l:0"], ["h:1"]));
  assert.deepEqual(same, { steps: [START, ["high", 0], ["low", 1], ["classes", 1]], at: 2 });
  const fewer = carried(history, before, lists(["l:1"], ["h:1"]));
  assert.deepEqual(fewer, { steps: [START, ["high", 0], ["classes", 1]], at: 1 });
  const others = carried(history, before, lists(["x"], ["y"], ["c − d", "c", "d"]));
  assert.deepEqual(others, begun(START));
});
