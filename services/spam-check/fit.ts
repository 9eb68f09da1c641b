/**
 * The mathematics of training: a logistic regression over hashed views, and boosted trees over shape figures.
 *
 * Deterministic: no clock, no random numbers but a seeded generator, sums always in the same order.
 */
import { LINK_FROM, NAME_FROM, SHAPE, VIEWS, extract, gramsOf } from './features.ts';
import type { CommentText, Features } from './features.ts';

/** Every training row's features, indexed by one vocabulary. */
export type Corpus = {
  rows: number;
  /** Distinct hashes; a feature's index is its place here. */
  hashes: Int32Array;
  view: Uint8Array;
  /**
   * Row r, view v owns `index[from[r * VIEWS.length + v] … from[r * VIEWS.length + v + 1])`: those met in two rows at least; an
   * n-gram that two of its words share comes twice.
   */
  from: Int32Array;
  index: Int32Array;
  /** 1/√(features of the row in the view), rare ones too. */
  norm: Float64Array;
  shape: Float32Array;
  hasAuthor: Uint8Array;
  hasLink: Uint8Array;
};

const V = VIEWS.length;
const S = SHAPE.length;
const V_LETTERS = VIEWS.indexOf('letters');
const V_AUTHOR = VIEWS.indexOf('author');
const V_LINKS = VIEWS.indexOf('links');

/** Every feature of a view, the letters' repeated ones too. */
function visitFeatures(f: Features, view: number, visit: (hash: number) => void): void {
  if (view === V_LETTERS) for (let run = 0; run < f.runs; run++) gramsOf(f, run, visit);
  else for (let i = 0; i < f.count; i++) if (f.view[i] === view) visit(f.hash[i]!);
}

/** Extracts the features of all comments. */
export function readCorpus(comments: readonly CommentText[]): Corpus {
  const shape = new Float32Array(comments.length * S);
  const norm = new Float64Array(comments.length * V);
  const hasAuthor = new Uint8Array(comments.length);
  const hasLink = new Uint8Array(comments.length);
  // First round: which features two rows have. What one row alone has teaches nothing, and is half of all.
  const metIn = new Map<number, number>();
  const AGAIN = -1;
  comments.forEach((comment, r) => {
    const f = extract(comment);
    for (let v = 0; v < V; v++) {
      visitFeatures(f, v, (hash) => {
        const before = metIn.get(hash);
        if (before === undefined) metIn.set(hash, r);
        else if (before !== r && before !== AGAIN) metIn.set(hash, AGAIN);
      });
      norm[r * V + v] = f.perView[v]! > 0 ? 1 / Math.sqrt(f.perView[v]!) : 0;
    }
    shape.set(f.shape, r * S);
    hasAuthor[r] = f.hasAuthor ? 1 : 0;
    hasLink[r] = f.hasLink ? 1 : 0;
  });
  const ids = new Map<number, number>();
  const hashes: number[] = [];
  const view: number[] = [];
  const from = new Int32Array(comments.length * V + 1);
  const chunks: number[][] = [];
  let total = 0;
  comments.forEach((comment, r) => {
    const f = extract(comment);
    const row: number[] = [];
    for (let v = 0; v < V; v++) {
      visitFeatures(f, v, (hash) => {
        if (metIn.get(hash) !== AGAIN) return;
        let id = ids.get(hash);
        if (id === undefined) {
          ids.set(hash, (id = hashes.length));
          hashes.push(hash);
          view.push(v);
        }
        row.push(id);
      });
      from[r * V + v + 1] = total + row.length;
    }
    total += row.length;
    chunks.push(row);
  });
  const index = new Int32Array(total);
  let at = 0;
  for (const chunk of chunks) {
    index.set(chunk, at);
    at += chunk.length;
  }
  const [hashesOf, viewOf] = [Int32Array.from(hashes), Uint8Array.from(view)];
  return { rows: comments.length, hashes: hashesOf, view: viewOf, from, index, norm, shape, hasAuthor, hasLink };
}

export type LinearOptions = {
  /** Rarer features are not learned. */
  minRows: number;
  /** Strength of the L2 penalty, by view, and for the shape figures. */
  penalty: readonly number[];
  /** Infinity leaves them out. */
  shapePenalty: number;
  /** How much of a row's weight it is shown with, without its author and link: 0..1. */
  dropout: number;
  iterations: number;
  /** Multiplies a view's values. */
  scale: readonly number[];
  /** Exponent of log(rows / rowsWithFeature). */
  idf: number;
  /** 0..1: how far a feature leans on its smoothed log-count ratio (Wang & Manning 2012, NB-SVM). */
  bayes?: number;
};

export type Linear = {
  bias: number;
  /** By vocabulary index; the value of a feature, √n of its view aside, is folded in. */
  weights: Float64Array;
  /** Weights of raw shape figures (after {@link squash}). */
  shapeWeights: Float64Array;
  shapeMean: Float64Array;
  shapeScale: Float64Array;
};

/** A shape figure in standard units, kept within ±4 so that no length outweighs all words. */
export const squash = (value: number, mean: number, scale: number) => Math.max(-4, Math.min(4, (value - mean) * scale));

/**
 * Fits a logistic regression by L-BFGS (Liu & Nocedal 1989).
 *
 * Each row counts twice: as it is, and without author and link, so that neither their presence nor their absence can
 * stand for the label of the sources that happened to keep them.
 *
 * @param weight by row; 0 leaves a row out
 */
export function fitLinear(corpus: Corpus, label: Uint8Array, weight: Float64Array, options: LinearOptions): Linear {
  const { from, index, hashes, shape } = corpus;
  const n = hashes.length;
  const dim = n + S + 1;
  const df = new Int32Array(n);
  const lastRow = new Int32Array(n).fill(-1);
  const pos = new Float64Array(n);
  const neg = new Float64Array(n);
  let used = 0;
  let posTotal = 0;
  let negTotal = 0;
  for (let r = 0; r < corpus.rows; r++) {
    const w = weight[r]!;
    if (w === 0) continue;
    used++;
    if (label[r]) posTotal += w;
    else negTotal += w;
    for (let i = from[r * V]!; i < from[r * V + V]!; i++) {
      const j = index[i]!;
      if (lastRow[j] === r) continue;
      lastRow[j] = r;
      df[j]!++;
      if (label[r]) pos[j]! += w;
      else neg[j]! += w;
    }
  }
  const value = new Float64Array(n);
  for (let j = 0; j < n; j++) {
    if (df[j]! < options.minRows) continue;
    value[j] = options.scale[corpus.view[j]!]! * Math.log(1 + used / df[j]!) ** options.idf;
    if (options.bayes) {
      const ratio = Math.abs(Math.log((pos[j]! + 1) / (posTotal + 2)) - Math.log((neg[j]! + 1) / (negTotal + 2)));
      value[j]! *= 1 - options.bayes + options.bayes * ratio;
    }
  }
  const { mean, scale } = standardise(corpus, weight);
  const squashed = new Float32Array(corpus.rows * S);
  const shaped = Number.isFinite(options.shapePenalty);
  for (let r = 0; r < (shaped ? corpus.rows : 0); r++)
    for (let s = 0; s < S; s++) {
      const absent = s >= LINK_FROM ? !corpus.hasLink[r] : s >= NAME_FROM ? !corpus.hasAuthor[r] : false;
      squashed[r * S + s] = absent ? 0 : squash(shape[r * S + s]!, mean[s]!, scale[s]!);
    }

  const penalty = new Float64Array(dim);
  for (let j = 0; j < n; j++) penalty[j] = options.penalty[corpus.view[j]!]!;
  for (let s = 0; s < S; s++) penalty[n + s] = shaped ? options.shapePenalty : 1;
  const drop = options.dropout;

  const norms = corpus.norm;
  const scaled = new Float64Array(n);
  const evaluate = (x: Float64Array, gradient: Float64Array): number => {
    gradient.fill(0);
    for (let j = 0; j < n; j++) scaled[j] = x[j]! * value[j]!;
    let loss = 0;
    const part = new Float64Array(V);
    for (let r = 0; r < corpus.rows; r++) {
      const w = weight[r]!;
      if (w === 0) continue;
      for (let v = 0; v < V; v++) {
        let sum = 0;
        const to = from[r * V + v + 1]!;
        for (let i = from[r * V + v]!; i < to; i++) sum += scaled[index[i]!]!;
        part[v] = sum * norms[r * V + v]!;
      }
      let text = x[n + S]!;
      for (let s = 0; s < NAME_FROM; s++) text += x[n + s]! * squashed[r * S + s]!;
      let rest = part[V_AUTHOR]!;
      for (let s = NAME_FROM; s < S; s++) rest += x[n + s]! * squashed[r * S + s]!;
      for (let v = 0; v < V; v++) if (v !== V_AUTHOR) text += part[v]!;
      // The view of links holds addresses of the text too; those stay when the writer's own is dropped.
      const y = label[r] ? 1 : -1;
      const whole = corpus.hasAuthor[r] || corpus.hasLink[r] ? 1 - drop : 1;
      const bare = 1 - whole;
      const full = text + rest;
      loss += w * whole * softplus(-y * full);
      const g1 = -y * w * whole * sigmoid(-y * full);
      let g2 = 0;
      if (bare > 0) {
        const own = corpus.hasLink[r] ? part[V_LINKS]! : 0;
        const s2 = text - own;
        loss += w * bare * softplus(-y * s2);
        g2 = -y * w * bare * sigmoid(-y * s2);
      }
      for (let v = 0; v < V; v++) {
        let g = g1 + g2;
        if (v === V_AUTHOR || (v === V_LINKS && corpus.hasLink[r])) g = g1;
        g *= norms[r * V + v]!;
        if (g === 0) continue;
        const to = from[r * V + v + 1]!;
        for (let i = from[r * V + v]!; i < to; i++) gradient[index[i]!]! += g;
      }
      for (let s = 0; s < NAME_FROM; s++) gradient[n + s]! += (g1 + g2) * squashed[r * S + s]!;
      for (let s = NAME_FROM; s < S; s++) gradient[n + s]! += g1 * squashed[r * S + s]!;
      gradient[n + S]! += g1 + g2;
    }
    for (let j = 0; j < n; j++) gradient[j]! *= value[j]!;
    for (let j = 0; j < dim; j++) {
      loss += 0.5 * penalty[j]! * x[j]! * x[j]!;
      gradient[j]! += penalty[j]! * x[j]!;
    }
    return loss;
  };
  const x = lbfgs(dim, evaluate, options.iterations);
  const weights = new Float64Array(n);
  for (let j = 0; j < n; j++) weights[j] = x[j]! * value[j]!;
  return { bias: x[n + S]!, weights, shapeWeights: x.slice(n, n + S), shapeMean: mean, shapeScale: scale };
}

/** The linear part's log-odds of a row, by view and then shape of text, name and link. */
export function applyLinear(corpus: Corpus, r: number, model: Linear): Float64Array {
  const out = new Float64Array(V + 4);
  const { from, index } = corpus;
  for (let v = 0; v < V; v++) {
    const to = from[r * V + v + 1]!;
    let sum = 0;
    for (let i = from[r * V + v]!; i < to; i++) sum += model.weights[index[i]!]!;
    out[v] = sum * corpus.norm[r * V + v]!;
  }
  for (let s = 0; s < S; s++) {
    const absent = s >= LINK_FROM ? !corpus.hasLink[r] : s >= NAME_FROM ? !corpus.hasAuthor[r] : false;
    if (absent) continue;
    const part = s >= LINK_FROM ? V + 2 : s >= NAME_FROM ? V + 1 : V;
    out[part]! += model.shapeWeights[s]! * squash(corpus.shape[r * S + s]!, model.shapeMean[s]!, model.shapeScale[s]!);
  }
  out[V + 3] = model.bias;
  return out;
}

export const total = (parts: Float64Array) => parts.reduce((sum, part) => sum + part, 0);

function standardise(corpus: Corpus, weight: Float64Array): { mean: Float64Array; scale: Float64Array } {
  const mean = new Float64Array(S);
  const scale = new Float64Array(S);
  for (let s = 0; s < S; s++) {
    let count = 0;
    let sum = 0;
    let squares = 0;
    for (let r = 0; r < corpus.rows; r++) {
      if (weight[r] === 0) continue;
      if (s >= LINK_FROM ? !corpus.hasLink[r] : s >= NAME_FROM ? !corpus.hasAuthor[r] : false) continue;
      const v = corpus.shape[r * S + s]!;
      count++;
      sum += v;
      squares += v * v;
    }
    mean[s] = count > 0 ? sum / count : 0;
    const variance = count > 0 ? squares / count - mean[s]! ** 2 : 0;
    scale[s] = variance > 1e-9 ? 1 / Math.sqrt(variance) : 0;
  }
  return { mean, scale };
}

export const sigmoid = (z: number) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));
const softplus = (z: number) => (z > 0 ? z + Math.log1p(Math.exp(-z)) : Math.log1p(Math.exp(z)));

/** Minimises a smooth convex function from 0, with a memory of eight steps and backtracking (Armijo). */
export function lbfgs(
  dim: number,
  evaluate: (x: Float64Array, gradient: Float64Array) => number,
  iterations: number,
): Float64Array {
  const memory = 8;
  let x: Float64Array = new Float64Array(dim);
  let gradient: Float64Array = new Float64Array(dim);
  let loss = evaluate(x, gradient);
  const steps: Float64Array[] = [];
  const changes: Float64Array[] = [];
  const rho: number[] = [];
  for (let iteration = 0; iteration < iterations; iteration++) {
    const direction = gradient.slice();
    const alpha: number[] = [];
    for (let k = steps.length - 1; k >= 0; k--) {
      alpha[k] = rho[k]! * dot(steps[k]!, direction);
      axpy(-alpha[k]!, changes[k]!, direction);
    }
    if (steps.length > 0) {
      const k = steps.length - 1;
      const gamma = dot(steps[k]!, changes[k]!) / dot(changes[k]!, changes[k]!);
      for (let j = 0; j < dim; j++) direction[j]! *= gamma;
    }
    for (let k = 0; k < steps.length; k++) {
      const beta = rho[k]! * dot(changes[k]!, direction);
      axpy(alpha[k]! - beta, steps[k]!, direction);
    }
    const slope = -dot(gradient, direction);
    if (slope > -1e-9) break;
    let step = iteration === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
    let nextX = x;
    let nextGradient = gradient;
    let nextLoss = loss;
    for (let tries = 0; tries < 20; tries++, step /= 2) {
      nextX = x.slice();
      axpy(-step, direction, nextX);
      nextGradient = new Float64Array(dim);
      nextLoss = evaluate(nextX, nextGradient);
      if (nextLoss <= loss + 1e-4 * step * slope) break;
    }
    const s = nextX.slice();
    axpy(-1, x, s);
    const y = nextGradient.slice();
    axpy(-1, gradient, y);
    const sy = dot(s, y);
    if (sy > 1e-12) {
      steps.push(s);
      changes.push(y);
      rho.push(1 / sy);
      if (steps.length > memory) {
        steps.shift();
        changes.shift();
        rho.shift();
      }
    }
    const gain = loss - nextLoss;
    x = nextX;
    gradient = nextGradient;
    loss = nextLoss;
    if (gain < 1e-5 * Math.abs(loss)) break;
  }
  return x;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
function axpy(scale: number, a: Float64Array, into: Float64Array): void {
  for (let i = 0; i < a.length; i++) into[i]! += scale * a[i]!;
}

/** A regression tree as arrays: node k splits on `feature[k] <= threshold[k]` to 2k+1, else 2k+2; leaf where feature is -1. */
export type Tree = { feature: Int16Array; threshold: Float32Array; value: Float32Array };
export type TreeOptions = {
  trees: number;
  depth: number;
  rate: number;
  penalty: number;
  minWeight: number;
  columns: number;
  rows: number;
  seed: number;
};

/** mulberry32: a small seeded generator (Ettinger, public domain). */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const BINS = 48;

/**
 * Boosts trees on the logistic loss (Friedman 2001; second-order leaves as in XGBoost, Chen & Guestrin 2016).
 *
 * @param x rows by columns
 * @param offset log-odds that the trees start from, by row
 */
export function fitTrees(
  x: Float32Array,
  columns: number,
  label: Uint8Array,
  weight: Float64Array,
  offset: Float64Array,
  options: TreeOptions,
): Tree[] {
  const rows = label.length;
  const edges: Float32Array[] = [];
  const binned = new Uint8Array(rows * columns);
  const kept = Array.from(weight.keys()).filter((r) => weight[r]! > 0);
  for (let c = 0; c < columns; c++) {
    const values = Float32Array.from(kept, (r) => x[r * columns + c]!).sort();
    const cuts: number[] = [];
    for (let b = 1; b < BINS; b++) {
      const v = values[Math.floor((values.length * b) / BINS)]!;
      if (cuts.length === 0 || v > cuts.at(-1)!) cuts.push(v);
    }
    // Rare but telling figures (disguise) have all their quantiles at 0: add cuts over what is not the minimum.
    if (cuts.length < 8) {
      const rest = values.filter((v) => v > values[0]!);
      for (let b = 0; b < 16 && rest.length > 0; b++) cuts.push(rest[Math.floor((rest.length * b) / 16)]!);
      cuts.push(values[0]!);
    }
    const edge = Float32Array.from(new Set(cuts)).sort();
    edges.push(edge);
    for (let r = 0; r < rows; r++) {
      const v = x[r * columns + c]!;
      let lo = 0;
      let hi = edge.length;
      while (lo < hi) {
        const mid = (lo + hi) >> 1;
        if (v <= edge[mid]!) hi = mid;
        else lo = mid + 1;
      }
      binned[r * columns + c] = lo;
    }
  }
  const score = Float64Array.from(offset);
  const next = random(options.seed);
  const nodes = 2 ** (options.depth + 1) - 1;
  const trees: Tree[] = [];
  const g = new Float64Array(rows);
  const h = new Float64Array(rows);
  const node = new Int16Array(rows);
  for (let t = 0; t < options.trees; t++) {
    const tree: Tree = {
      feature: new Int16Array(nodes).fill(-1),
      threshold: new Float32Array(nodes),
      value: new Float32Array(nodes),
    };
    const active: number[] = [];
    for (let r = 0; r < rows; r++) {
      node[r] = 0;
      if (weight[r] === 0) continue;
      const p = sigmoid(score[r]!);
      g[r] = weight[r]! * (p - label[r]!);
      h[r] = weight[r]! * Math.max(1e-6, p * (1 - p));
      if (next() < options.rows) active.push(r);
    }
    const chosen: number[] = [];
    for (let c = 0; c < columns; c++) if (next() < options.columns) chosen.push(c);
    for (let level = 0; level <= options.depth; level++) {
      const first = 2 ** level - 1;
      const count = 2 ** level;
      const sumG = new Float64Array(count);
      const sumH = new Float64Array(count);
      for (const r of active) {
        const k = node[r]! - first;
        if (k < 0) continue;
        sumG[k]! += g[r]!;
        sumH[k]! += h[r]!;
      }
      for (let k = 0; k < count; k++) tree.value[first + k] = -sumG[k]! / (sumH[k]! + options.penalty);
      if (level === options.depth) break;
      const best = new Float64Array(count).fill(1e-3);
      const bestBin = new Int32Array(count);
      const histG = new Float64Array(count * 256);
      const histH = new Float64Array(count * 256);
      for (const c of chosen) {
        histG.fill(0);
        histH.fill(0);
        for (const r of active) {
          const k = node[r]! - first;
          if (k < 0) continue;
          const at = (k << 8) | binned[r * columns + c]!;
          histG[at]! += g[r]!;
          histH[at]! += h[r]!;
        }
        for (let k = 0; k < count; k++) {
          if (sumH[k]! < 2 * options.minWeight) continue;
          const parent = sumG[k]! ** 2 / (sumH[k]! + options.penalty);
          let leftG = 0;
          let leftH = 0;
          for (let b = 0; b < edges[c]!.length; b++) {
            leftG += histG[(k << 8) | b]!;
            leftH += histH[(k << 8) | b]!;
            const rightH = sumH[k]! - leftH;
            if (leftH < options.minWeight || rightH < options.minWeight) continue;
            const rightG = sumG[k]! - leftG;
            const gain = leftG ** 2 / (leftH + options.penalty) + rightG ** 2 / (rightH + options.penalty) - parent;
            if (gain > best[k]!) {
              best[k] = gain;
              bestBin[k] = b;
              tree.feature[first + k] = c;
              tree.threshold[first + k] = edges[c]![b]!;
            }
          }
        }
      }
      for (let r = 0; r < rows; r++) {
        const k = node[r]! - first;
        if (k < 0) continue;
        const c = tree.feature[first + k]!;
        if (c < 0) continue;
        node[r] = binned[r * columns + c]! <= bestBin[k]! ? 2 * node[r]! + 1 : 2 * node[r]! + 2;
      }
    }
    for (let k = 0; k < nodes; k++) tree.value[k]! *= options.rate;
    for (let r = 0; r < rows; r++) score[r]! += tree.value[node[r]!]!;
    trees.push(tree);
  }
  return trees;
}

export function applyTrees(trees: readonly Tree[], x: Float32Array, at: number): number {
  let sum = 0;
  for (const tree of trees) {
    let k = 0;
    while (tree.feature[k]! >= 0) k = x[at + tree.feature[k]!]! <= tree.threshold[k]! ? 2 * k + 1 : 2 * k + 2;
    sum += tree.value[k]!;
  }
  return sum;
}
