import type { Edge, Graph, Node } from './graph.ts';

export type Point = { x: number; y: number };
export type PlacedNode = {
  node: Node;
  x: number;
  y: number;
  width: number;
  height: number;
  inner: readonly { layout: Layout; x: number; y: number }[];
};
export type PlacedEdge = { edge: Edge; points: readonly Point[] };
/** Everything in one coordinate system, the upper left corner at 0, 0. */
export type Layout = { width: number; height: number; nodes: readonly PlacedNode[]; edges: readonly PlacedEdge[] };

const CHARACTER = 7.6;
const HEIGHT = 44;
const LAYER_GAP = 46;
const NODE_GAP = 34;
const DUMMY_WIDTH = 14;
const INNER_PADDING = 16;
const SWEEPS = 12;
const PORT_GAP = 16;

type Slot = {
  name: string;
  node: Node | undefined;
  width: number;
  height: number;
  layer: number;
  x: number;
  up: Slot[];
  down: Slot[];
  inner: PlacedNode['inner'];
};

/**
 * Layers of boxes from top to bottom: each state below all that lead to it (arrows back up aside), long arrows bent around
 * what lies between, neighbours above one another.
 *
 * After Sugiyama, Tagawa and Toda (1981), with the median for crossings and repeated averaging for positions.
 */
export function layoutOf(graph: Graph): Layout {
  const back = backEdges(graph);
  const forward = graph.edges.filter((edge) => edge.from !== edge.to);
  const layers = layersOf(graph, forward, back);
  const slots = new Map<string, Slot>();
  const rows: Slot[][] = [];
  const put = (slot: Slot): Slot => {
    (rows[slot.layer] ??= []).push(slot);
    return slot;
  };
  for (const node of graph.nodes) {
    const inner = node.inner.map(layoutOf);
    let x = INNER_PADDING;
    const placed = inner.map((layout) => {
      const at = { layout, x, y: HEIGHT };
      x += layout.width + INNER_PADDING;
      return at;
    });
    const width = Math.max(96, node.name.length * CHARACTER + 34, inner.length > 0 ? x : 0);
    const height =
      inner.length > 0 ? HEIGHT + Math.max(...inner.map((layout) => layout.height)) + INNER_PADDING : HEIGHT;
    slots.set(
      node.name,
      put({
        name: node.name,
        node,
        width,
        height,
        layer: layers.get(node.name) ?? 0,
        x: 0,
        up: [],
        down: [],
        inner: placed,
      }),
    );
  }
  const chains = new Map<Edge, Slot[]>();
  for (const edge of forward) {
    const [a, b] = [slots.get(edge.from), slots.get(edge.to)];
    if (!a || !b) continue;
    const [above, below] = a.layer <= b.layer ? [a, b] : [b, a];
    const chain = [above];
    for (let layer = above.layer + 1; layer < below.layer; layer++) {
      chain.push(
        put({ name: '', node: undefined, width: DUMMY_WIDTH, height: 0, layer, x: 0, up: [], down: [], inner: [] }),
      );
    }
    chain.push(below);
    for (const [index, slot] of chain.entries()) {
      const next = chain[index + 1];
      if (next && next.layer !== slot.layer) {
        slot.down.push(next);
        next.up.push(slot);
      }
    }
    chains.set(edge, above === a ? chain : chain.toReversed());
  }
  untangle(rows);
  position(rows);

  const tops: number[] = [];
  let y = 0;
  for (const row of rows) {
    tops.push(y);
    y += Math.max(HEIGHT, ...row.map(({ height }) => height)) + LAYER_GAP;
  }
  const all = rows.flat();
  const left = Math.min(...all.map((slot) => slot.x - slot.width / 2));
  const right = Math.max(...all.map((slot) => slot.x + slot.width / 2 + (slot.node?.retries ? 26 : 0)));
  for (const slot of all) slot.x -= left;
  const topOf = (slot: Slot): number => tops[slot.layer] ?? 0;
  const rowHeight = (slot: Slot): number => Math.max(HEIGHT, ...(rows[slot.layer] ?? []).map(({ height }) => height));
  const ports = portsOf(chains);
  return {
    width: right - left,
    height: y - LAYER_GAP,
    nodes: all.flatMap(({ node, x, width, height, inner, layer }) =>
      node ? [{ node, x: x - width / 2, y: tops[layer] ?? 0, width, height, inner }] : [],
    ),
    edges: [...chains].map(([edge, chain]) => {
      const downward = (chain[0]?.layer ?? 0) <= (chain.at(-1)?.layer ?? 0);
      const [begins = 0, ends = 0] = ports.get(edge) ?? [];
      return {
        edge,
        points: chain.flatMap((slot, index): Point[] => {
          const top = topOf(slot);
          if (index === 0) return [{ x: begins, y: downward ? top + slot.height : top }];
          if (index === chain.length - 1) return [{ x: ends, y: downward ? top : top + slot.height }];
          const passage = [
            { x: slot.x, y: top },
            { x: slot.x, y: top + rowHeight(slot) },
          ];
          return downward ? passage : passage.toReversed();
        }),
      };
    }),
  };
}

/** Where each arrow leaves and arrives: side by side along the edge of a box, in the order of where they go. */
function portsOf(chains: ReadonlyMap<Edge, readonly Slot[]>): Map<Edge, [begins: number, ends: number]> {
  type End = { edge: Edge; which: 0 | 1; towards: number };
  const sides = new Map<Slot, { top: End[]; bottom: End[] }>();
  const ports = new Map<Edge, [begins: number, ends: number]>();
  for (const [edge, chain] of chains) {
    const [first, second] = chain;
    const [beforeLast, last] = chain.slice(-2);
    if (!first || !second || !beforeLast || !last) continue;
    ports.set(edge, [first.x, last.x]);
    for (const [slot, other, which] of [
      [first, second, 0],
      [last, beforeLast, 1],
    ] as const) {
      const ends = sides.get(slot) ?? { top: [], bottom: [] };
      sides.set(slot, ends);
      ends[other.layer > slot.layer ? 'bottom' : 'top'].push({ edge, which, towards: other.x });
    }
  }
  for (const [slot, { top, bottom }] of sides) {
    for (const ends of [top, bottom]) {
      const gap = Math.min(PORT_GAP, (slot.width - PORT_GAP) / Math.max(1, ends.length));
      for (const [index, { edge, which }] of ends.toSorted((a, b) => a.towards - b.towards).entries()) {
        const port = ports.get(edge);
        if (port) port[which] = slot.x + (index - (ends.length - 1) / 2) * gap;
      }
    }
  }
  return ports;
}

/** Arrows that close a circle, found on the way from the start. */
function backEdges(graph: Graph): Set<Edge> {
  const back = new Set<Edge>();
  const state = new Map<string, 'open' | 'done'>();
  const visit = (name: string): void => {
    state.set(name, 'open');
    for (const edge of graph.edges) {
      if (edge.from !== name) continue;
      if (state.get(edge.to) === 'open') back.add(edge);
      else if (!state.has(edge.to)) visit(edge.to);
    }
    state.set(name, 'done');
  };
  visit(graph.start);
  for (const { name } of graph.nodes) if (!state.has(name)) visit(name);
  return back;
}

/** The longest way from the start, without arrows back. */
function layersOf(graph: Graph, edges: readonly Edge[], back: ReadonlySet<Edge>): Map<string, number> {
  const layers = new Map<string, number>(graph.nodes.map(({ name }) => [name, 0]));
  // As many rounds as the longest way can be.
  for (let round = 0; round < graph.nodes.length; round++) {
    for (const edge of edges) {
      if (back.has(edge)) continue;
      layers.set(edge.to, Math.max(layers.get(edge.to) ?? 0, (layers.get(edge.from) ?? 0) + 1));
    }
  }
  return layers;
}

/** Orders each row by where its neighbours stand in the row before. */
function untangle(rows: Slot[][]): void {
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : rows.toReversed()) {
      const weight = new Map(
        row.map((slot, index) => {
          const near = down ? slot.up : slot.down;
          const places = near.map((other) => (rows[other.layer] ?? []).indexOf(other)).toSorted((a, b) => a - b);
          const middle =
            places.length > 0 ? places.reduce((sum: number, place) => sum + place, 0) / places.length : index;
          return [slot, middle] as const;
        }),
      );
      row.sort((a, b) => (weight.get(a) ?? 0) - (weight.get(b) ?? 0));
    }
  }
}

/** Draws each slot towards the middle of its neighbours, as far as the row lets it. */
function position(rows: Slot[][]): void {
  const apart = (a: Slot, b: Slot): number => (a.width + b.width) / 2 + (a.node || b.node ? NODE_GAP : DUMMY_WIDTH);
  for (const row of rows) {
    let x = 0;
    for (const [index, slot] of row.entries()) {
      const before = row[index - 1];
      x = before ? x + apart(before, slot) : 0;
      slot.x = x;
    }
    for (const slot of row) slot.x -= x / 2;
  }
  for (let sweep = 0; sweep < SWEEPS * 2; sweep++) {
    for (const row of sweep % 2 === 0 ? rows : rows.toReversed()) {
      const wanted = row.map((slot) => {
        const near = [...slot.up, ...slot.down];
        return near.length > 0 ? near.reduce((sum, other) => sum + other.x, 0) / near.length : slot.x;
      });
      const pushed = [...wanted];
      for (let index = 1; index < row.length; index++) {
        pushed[index] = Math.max(
          pushed[index] as number,
          (pushed[index - 1] as number) + apart(row[index - 1] as Slot, row[index] as Slot),
        );
      }
      const pulled = [...wanted];
      for (let index = row.length - 2; index >= 0; index--) {
        pulled[index] = Math.min(
          pulled[index] as number,
          (pulled[index + 1] as number) - apart(row[index] as Slot, row[index + 1] as Slot),
        );
      }
      for (const [index, slot] of row.entries()) slot.x = ((pushed[index] as number) + (pulled[index] as number)) / 2;
    }
  }
}
