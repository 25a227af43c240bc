// The paths of a flow: which links they take, what they carry, and the sentence on that. No DOM.
//
// A flow has `sizes`, the number of nodes per column, and `flows`, for each pair of neighbouring columns a
// flat array of links (from, to). Nodes are counted column by column.

const CLEARLY = 0.05; // as in Python
const MOST_TOLD = 3;

/** The number of the first node of each column, and of all nodes at last. */
export function firstNodes(sizes) {
  const found = [0];
  for (const size of sizes) found.push(found[found.length - 1] + size);
  return found;
}

/** The column of a node. */
export function columnOf(sizes, node) {
  return firstNodes(sizes).findIndex((start) => start > node) - 1;
}

/** For each node of a column, its links from the column before added up, and the sum of their sizes. */
function inflow(links, from, to) {
  const total = new Array(to).fill(0);
  const whole = new Array(to).fill(0);
  for (let i = 0; i < from; i++) {
    for (let j = 0; j < to; j++) {
      total[j] += links[i * to + j];
      whole[j] += Math.abs(links[i * to + j]);
    }
  }
  return { total, led: total.map((t, j) => Math.abs(t) > CLEARLY * whole[j] && whole[j] > 0) };
}

/**
 * What the paths through `nodes` carry: `sums`, to each node of the last column; `lit`, which links they take;
 * `reached`, which nodes; and `shares`, how much of what leaves each node is on them.
 */
export function followPaths({ sizes, flows }, nodes) {
  const first = firstNodes(sizes);
  const reached = new Array(first[sizes.length]).fill(false);
  const lit = flows.map((links) => new Array(links.length).fill(false));
  const shares = [];
  let carried = [];
  let chosen = false;
  for (let column = 0; column < sizes.length; column++) {
    const size = sizes[column];
    const own = nodes.filter((n) => n >= first[column] && n < first[column] + size);
    const allowed = Array.from({ length: size }, (_, j) => !own.length || own.includes(first[column] + j));
    const before = carried;
    carried = allowed.map((allow) => (allow ? 1 : 0));
    if (column === 0) for (let j = 0; j < size; j++) reached[j] = allowed[j];
    else {
      const links = flows[column - 1];
      const from = sizes[column - 1];
      const last = column === sizes.length - 1;
      const { total, led } = inflow(links, from, size);
      for (let j = 0; j < size; j++) {
        let sum = 0;
        let comes = false;
        for (let i = 0; i < from; i++) {
          sum += before[i] * links[i * size + j];
          const taken = reached[first[column - 1] + i] && links[i * size + j] !== 0 && allowed[j];
          comes ||= taken;
          lit[column - 1][i * size + j] = taken && (led[j] || last);
        }
        if (last) carried[j] *= sum;
        else carried[j] *= led[j] ? sum / total[j] : chosen ? 0 : 1;
        reached[first[column] + j] = allowed[j] && (led[j] || last ? comes : !chosen);
      }
    }
    chosen ||= own.length > 0;
    shares.push(...carried);
  }
  // A link that leads to no chosen node further on is on no path.
  for (let column = sizes.length - 2; column >= 0; column--) {
    const to = sizes[column + 1];
    for (let i = 0; i < sizes[column]; i++) {
      const node = first[column] + i;
      let goesOn = false;
      for (let j = 0; j < to; j++) {
        lit[column][i * to + j] &&= reached[first[column + 1] + j];
        goesOn ||= lit[column][i * to + j];
      }
      reached[node] &&= goesOn;
    }
  }
  return { sums: carried, lit, reached, shares };
}

/** How a sentence lists things. */
function inWords(parts) {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

/** The one link between two selected nodes, {pair, at}, if that is what they are. */
export function linkBetween({ sizes }, nodes) {
  if (nodes.length !== 2) return null;
  const first = firstNodes(sizes);
  const [a, b] = nodes.map((node) => columnOf(sizes, node));
  if (b !== a + 1) return null;
  return { pair: a, at: (nodes[0] - first[a]) * sizes[b] + nodes[1] - first[b] };
}

/** The sentence on selected nodes, word for word as in Python; `signed` prints a number with its sign. */
export function tell(panel, selected, signed) {
  const { sizes, labels } = panel;
  const nodes = [...selected].sort((a, b) => a - b);
  const count = sizes.at(-1);
  const first = labels.length - count;
  const ends = nodes.filter((node) => node >= first).map((node) => node - first);
  const inner = nodes.filter((node) => node < first);
  if (!inner.length) return ends.map((end) => panel.ends[end]).join(" ");
  const { sums } = followPaths(panel, nodes);
  const shown = ends.length ? ends : Array.from({ length: count }, (_, end) => end);
  shown.sort((a, b) => Math.abs(sums[b]) - Math.abs(sums[a]) || a - b);
  const parts = shown.slice(0, MOST_TOLD).map((end) => {
    const text = `${signed(sums[end])} on ${labels[first + end]}`;
    if (inner.length > 1) return text;
    const at = inner[0] * count + end;
    // Of the last layer before the end, the paths are the links.
    const straight = inner[0] < first - sizes.at(-2) ? `straight to it ${signed(panel.straight[at])}, ` : "";
    return `${text} (${straight}measured ${signed(panel.straight_measured[at])})`;
  });
  const names = inWords(inner.map((node) => labels[node]));
  const said = `The paths through ${names} add up to ${inWords(parts)}.`;
  const link = linkBetween(panel, nodes);
  if (!link) return said;
  const { pair, at } = link;
  const numbers = `attribution ${signed(panel.flows[pair][at])}, measured ${signed(panel.measured[pair][at])}`;
  const alone = `From ${labels[nodes[0]]} to ${labels[nodes[1]]}: ${numbers}.`;
  return ends.length ? alone : `${alone} ${said}`; // to an end there is no other path
}
