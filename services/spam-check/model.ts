/**
 * The judge: P(spam) and P(toxic) of one comment, and why.
 *
 * Two models in one file that ships beside this one. Spam: a logistic regression over hashed features plus boosted
 * trees over shape figures, both additive, so that what is shown as the reason is the sum that decided. Toxicity: a
 * logistic regression of its own, silent on languages that were not measured. See docs/model-card.md.
 */
import { readFileSync } from 'node:fs';
import {
  KIND_URL,
  KIND_WORD,
  LINK_FROM,
  NAME_FROM,
  OWNER_AUTHOR,
  OWNER_LINK,
  SHAPE,
  VIEWS,
  extract,
  gramsOf,
} from './features.ts';
import type { CommentText, Features } from './features.ts';
import { G, GROUPS, MAY_BE_ABSENT, groupOfShape, isThere, wordsFor, wordsForAbuse } from './reasons.ts';
import type { Parts } from './reasons.ts';
import { prepare, shiftOf } from './site-weights.ts';
import type { SiteWeights } from './lesson.ts';
import type { Thresholds } from './thresholds.ts';

/** One reason. `weight` is in log-odds, above 0 towards spam (or towards toxic, for names that start with `toxic`). */
export type Signal = { name: string; weight: number; words: string };

export type Assessment = {
  /** P(spam), calibrated, 0..1. */
  score: number;
  logOdds: number;
  /** P(toxic), 0..1; 0 where the language was not measured. */
  toxicity: number;
  /** ISO 639-1 guess, `und` where too little speaks. */
  lang: string;
  /** Heaviest first. */
  signals: Signal[];
};

export type Trees = { depth: number; count: number; feature: Int8Array; threshold: Float32Array; value: Float32Array };

/**
 * A table of weights without its keys: the slot is chosen by the hash's low bits and holds a fingerprint of eight
 * others (high byte, 0: empty) and a weight (low byte, less 128).
 */
export type Table = {
  mask: number;
  slots: Uint16Array;
  /** What a stored weight means, by view. */ scale: Float32Array[];
};

export type Model = {
  meta: ModelMeta;
  spam: Table;
  toxic: Table;
  trees: Trees;
  kept: KeptRuns;
};

/**
 * What both tables say of runs of letters met lately, because most words come again: a run in the place of its key, until
 * another falls there. Kept or counted anew, the sum is the same.
 */
type KeptRuns = { key: Int32Array; check: Int32Array; spam: Float64Array; toxic: Float64Array };
const KEPT_RUNS = 32_768; // power of two
const keptRuns = (): KeptRuns => ({
  // No key of its place: empty.
  key: Int32Array.from({ length: KEPT_RUNS }, (_, slot) => slot ^ 1),
  check: new Int32Array(KEPT_RUNS),
  spam: new Float64Array(KEPT_RUNS),
  toxic: new Float64Array(KEPT_RUNS),
});

export type ModelMeta = {
  format: 1;
  /** Hash of the weights: the model version that verdicts are stored with. */
  version: string;
  made: string;
  sources: { source: string; rows: number; positives: number; provenance: string }[];
  /** Derived from scores of rows that were not trained on. */
  thresholds: Thresholds;
  spam: {
    bias: number;
    shapeMean: number[];
    shapeScale: number[];
    shapeWeights: number[];
    viewMax: number[];
    bits: number;
    trees: { count: number; depth: number };
    calibration: { slope: number; offset: number };
  };
  toxic: { bias: number; viewMax: number[]; bits: number; calibration: { slope: number; offset: number } };
};

const V = VIEWS.length;
const S = SHAPE.length;
const V_LETTERS = VIEWS.indexOf('letters');
const V_WORDS = VIEWS.indexOf('words');

/** Trees see the shape figures, then the linear model's log-odds by part, then their sum. */
export const PARTS = [...VIEWS, 'shape', 'name-shape', 'link-shape', 'all'] as const;
export const COLUMNS = S + PARTS.length;

/**
 * A stored byte's weight: quadratic, so that the many small weights keep their difference.
 *
 * @param max the greatest weight of the view
 */
export const expand = (byte: number, max: number) => Math.sign(byte) * (byte / 127) ** 2 * max;
export const compress = (weight: number, max: number) =>
  Math.max(-127, Math.min(127, Math.sign(weight) * Math.round(Math.sqrt(Math.abs(weight) / max) * 127)));
/** A mark of 0 is an empty slot. */
export const markOf = (hash: number) => hash >>> 24 || 1;

const MAGIC = 0x314a4c53; // "SLJ1"

/** Lays a model out as the bytes of its file. */
export function packModel({ meta, spam, toxic, trees }: Omit<Model, 'kept'>): Uint8Array {
  const head = Buffer.from(JSON.stringify(meta));
  const padded = Math.ceil((8 + head.length) / 8) * 8;
  const sections = [spam.slots, toxic.slots, trees.threshold, trees.value, trees.feature].map(
    (s) => new Uint8Array(s.buffer, s.byteOffset, s.byteLength),
  );
  const bytes = new Uint8Array(padded + sections.reduce((sum, s) => sum + s.length, 0)).fill(32, 8, padded);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, padded - 8, true);
  bytes.set(head, 8);
  let at = padded;
  for (const section of sections) {
    bytes.set(section, at);
    at += section.length;
  }
  return bytes;
}

/** Reads a model file. The tables are views of its bytes: nothing is copied but the trees. */
export function parseModel(file: Uint8Array): Model {
  // A small Buffer may stand anywhere in its pool; views of wider numbers want even ground.
  const bytes = file.byteOffset % 8 === 0 ? file : new Uint8Array(file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8 || view.getUint32(0, true) !== MAGIC)
    throw new Error('not a model of the judge: wrong first bytes');
  const headLength = view.getUint32(4, true);
  const meta = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headLength))) as ModelMeta;
  let at = 8 + headLength;
  const take = (length: number) => {
    if (at + length > bytes.length) throw new Error(`the model file is cut short at ${bytes.length} bytes`);
    return bytes.subarray(at, (at += length));
  };
  const table = ({ bits, viewMax }: { bits: number; viewMax: number[] }): Table => {
    const raw = take(2 ** bits * 2);
    return {
      mask: 2 ** bits - 1,
      slots: new Uint16Array(raw.buffer, raw.byteOffset, raw.length / 2),
      scale: viewMax.map((max) => Float32Array.from({ length: 256 }, (_, byte) => expand(byte - 128, max))),
    };
  };
  const spam = table(meta.spam);
  const toxic = table(meta.toxic);
  const { count, depth } = meta.spam.trees;
  const nodes = count * (2 ** (depth + 1) - 1);
  // Copied by construction: a Buffer's slice is no copy, and its bytes may be unaligned.
  const threshold = new Float32Array(new Uint8Array(take(nodes * 4)).buffer);
  const value = new Float32Array(new Uint8Array(take(nodes * 4)).buffer);
  const feature = new Int8Array(take(nodes));
  return { meta, spam, toxic, trees: { depth, count, threshold, value, feature }, kept: keptRuns() };
}

let loaded: Model | undefined;
/** The model that ships; read from disk at the first call. */
export function shippedModel(): Model {
  return (loaded ??= parseModel(readFileSync(new URL('model.bin', import.meta.url))));
}

// Where a tree asks for the linear model's opinion, the answer belongs to what that opinion is about.
const groupOfColumn = Uint8Array.from([
  ...groupOfShape,
  G.text, // letters
  G.text, // words
  G['author-name'],
  G['links-in-text'],
  G.writing,
  G['author-name'],
  G['link-host'],
  G.text, // all
]);

const tokenSum = new Float64Array(extract({ text: '' }).start.length);
const toxicSum = new Float64Array(tokenSum.length);
const viewSum = new Float64Array(V);
const groupSum = new Float64Array(GROUPS.length);
const columnSum = new Float64Array(COLUMNS);
const columns = new Float32Array(COLUMNS);

/** The weight of a feature, 0 for what was not met in training. */
function lookUp(table: Table, hash: number, view: number): number {
  const slot = hash & table.mask;
  const mark = markOf(hash);
  let entry = table.slots[slot]!;
  if (entry >>> 8 === mark) return table.scale[view]![entry & 255]!;
  entry = table.slots[slot ^ 1]!;
  if (entry >>> 8 === mark) return table.scale[view]![entry & 255]!;
  return 0;
}

/** Where a run's sums are kept, put there if need be. */
function runSlot(f: Features, run: number, { spam, toxic, kept }: Model): number {
  const key = f.runKey[run]!;
  const check = f.runCheck[run]!;
  const slot = key & (KEPT_RUNS - 1);
  if (kept.key[slot] === key && kept.check[slot] === check) return slot;
  let [spamSum, toxicSum] = [0, 0];
  gramsOf(f, run, (hash) => {
    spamSum += lookUp(spam, hash, V_LETTERS);
    toxicSum += lookUp(toxic, hash, V_LETTERS);
  });
  kept.key[slot] = key;
  kept.check[slot] = check;
  kept.spam[slot] = spamSum;
  kept.toxic[slot] = toxicSum;
  return slot;
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
const MOST_SIGNALS = 8;
/** Log-odds below which a reason moved nothing. */
const LEAST_SIGNAL = 0.1;

/**
 * Judges one comment. Pure and synchronous; the model is read from disk once.
 *
 * @param site what this site's moderators taught; without it, the model alone speaks
 * @returns signals: those that moved the score most, heaviest first; see {@link explain} for all of them
 */
export function assess(comment: CommentText, site?: SiteWeights, model: Model = shippedModel()): Assessment {
  return weigh(comment, site, model, MOST_SIGNALS);
}

/** As {@link assess}, with every signal: those of the spam axis sum to `logOdds`, but for rounding. */
export function explain(comment: CommentText, site?: SiteWeights, model: Model = shippedModel()): Assessment {
  return weigh(comment, site, model);
}

function weigh(comment: CommentText, site: SiteWeights | undefined, model: Model, most?: number): Assessment {
  const f = extract(comment);
  const { spam } = model.meta;
  linearParts(f, model);
  const parts = columns.subarray(S);
  groupSum.fill(0);
  columnSum.fill(0);

  // Linear part: words by token, the rest by group.
  for (let t = 0; t < f.tokens; t++) {
    const sum = tokenSum[t]!;
    if (f.kind[t] === KIND_URL) groupSum[G['links-in-text']]! += sum;
    else groupSum[sum > 0 ? G.text : G['plain-words']]! += sum;
  }
  groupSum[G['author-name']]! += authorSum;
  groupSum[G['link-host']]! += linkSum;
  for (let s = 0; s < S; s++) columnSum[s] = shapeSum[s]!;
  groupSum[G.prior]! += spam.bias;

  // Trees: each split moves the sum from the value of a node to that of its child (Saabas 2014).
  const { trees } = model;
  const nodes = 2 ** (trees.depth + 1) - 1;
  let treeSum = 0;
  for (let base = 0; base < trees.count * nodes; base += nodes) {
    let k = 0;
    let value = trees.value[base]!;
    groupSum[G.prior]! += value;
    for (let column = trees.feature[base]!; column >= 0; column = trees.feature[base + k]!) {
      k = columns[column]! <= trees.threshold[base + k]! ? 2 * k + 1 : 2 * k + 2;
      const next = trees.value[base + k]!;
      columnSum[column]! += next - value;
      value = next;
    }
    treeSum += value;
  }

  for (let column = 0; column < COLUMNS; column++) groupSum[groupOfColumn[column]!]! += columnSum[column]!;

  // What is not there is one reason, not five: an absence must not read as a presence, whatever its weight.
  for (const group of MAY_BE_ABSENT) {
    if (isThere(f, group)) continue;
    groupSum[G['nothing-unusual']]! += groupSum[G[group]]!;
    groupSum[G[group]] = 0;
  }

  const { slope, offset } = spam.calibration;
  for (let g = 0; g < GROUPS.length; g++) groupSum[g]! *= slope;
  groupSum[G.prior]! += offset;
  const shift = site ? shiftOf(prepare(site, 'spam'), f) : 0;
  groupSum[G['site-learning']] = shift;
  const logOdds = slope * (parts[PARTS.length - 1]! + treeSum) + offset + shift;

  const toxic = toxicityOf(f, model, site);
  const said: Parts = { f, comment, tokens: tokenSum, figures: columnSum, means: spam.shapeMean };
  let reasons = GROUPS.map((name, g) => ({ name, weight: round(groupSum[g]!) })).filter(({ weight }) => weight !== 0);
  // How rare spam is says nothing about this comment: it closes the list, so that the sum can be checked.
  reasons.sort(
    (a, b) => Number(a.name === 'prior') - Number(b.name === 'prior') || Math.abs(b.weight) - Math.abs(a.weight),
  );
  if (most !== undefined) reasons = reasons.filter(({ weight }) => Math.abs(weight) >= LEAST_SIGNAL).slice(0, most);
  const signals: Signal[] = reasons.map(({ name, weight }) => ({ name, weight, words: wordsFor(name, weight, said) }));
  if (toxic.probability >= 0.5)
    signals.splice(1, 0, {
      name: 'toxic-words',
      weight: round(toxic.logOdds),
      words: wordsForAbuse(toxicSum, f),
    });
  signals.length = Math.min(signals.length, most ?? signals.length);
  return {
    score: clamp(sigmoid(logOdds)),
    logOdds,
    toxicity: toxic.probability,
    lang: f.lang,
    signals,
  };
}

/** Log-odds by themselves, for calibration and site learning; the shape of `columns` is left for the trees. */
let authorSum = 0;
let linkSum = 0;
const shapeSum = new Float64Array(S);

const norm = new Float64Array(V);
/** By which the sum of each view is scaled. */
function normsOf(f: Features): Float64Array {
  for (let v = 0; v < V; v++) norm[v] = f.perView[v]! > 0 ? 1 / Math.sqrt(f.perView[v]!) : 0;
  return norm;
}

function linearParts(f: Features, model: Model): void {
  const { spam, meta } = model;
  viewSum.fill(0);
  tokenSum.fill(0, 0, f.tokens + 1);
  authorSum = linkSum = 0;
  const norms = normsOf(f);
  for (let run = 0; run < f.runs; run++) {
    const part = model.kept.spam[runSlot(f, run, model)]! * norms[V_LETTERS]!;
    viewSum[V_LETTERS]! += part;
    tokenSum[f.runOwner[run]!]! += part;
  }
  for (let i = 0; i < f.count; i++) {
    const view = f.view[i]!;
    const weight = lookUp(spam, f.hash[i]!, view);
    if (weight === 0) continue;
    const part = weight * norms[view]!;
    viewSum[view]! += part;
    const owner = f.owner[i]!;
    if (owner >= 0) tokenSum[owner]! += part;
    else if (owner === OWNER_AUTHOR) authorSum += part;
    else if (owner === OWNER_LINK) linkSum += part;
  }
  let [text, name, link] = [0, 0, 0];
  const { shapeMean, shapeScale, shapeWeights } = meta.spam;
  for (let s = 0; s < S; s++) {
    const absent = s >= LINK_FROM ? !f.hasLink : s >= NAME_FROM ? !f.hasAuthor : false;
    columns[s] = absent ? -1 : f.shape[s]!;
    const units = Math.max(-4, Math.min(4, (f.shape[s]! - shapeMean[s]!) * shapeScale[s]!));
    shapeSum[s] = absent ? 0 : shapeWeights[s]! * units;
    if (s >= LINK_FROM) link += shapeSum[s]!;
    else if (s >= NAME_FROM) name += shapeSum[s]!;
    else text += shapeSum[s]!;
  }
  let all = meta.spam.bias + text + name + link;
  for (let v = 0; v < V; v++) {
    columns[S + v] = viewSum[v]!;
    all += viewSum[v]!;
  }
  columns[S + V] = text;
  columns[S + V + 1] = name;
  columns[S + V + 2] = link;
  columns[S + V + 3] = all;
}

/** English alone was measured. Short texts without function words count as English when their words were met there. */
function toxicityOf(f: Features, model: Model, site?: SiteWeights): { probability: number; logOdds: number } {
  const { toxic, meta } = model;
  toxicSum.fill(0, 0, f.tokens + 1);
  if (f.lang !== 'en' && f.lang !== 'und') return { probability: 0, logOdds: 0 };
  const norms = normsOf(f);
  let logOdds = meta.toxic.bias;
  let known = 0;
  let words = 0;
  // Names after @ are words of no language.
  const spoken = (t: number) => f.kind[t] === KIND_WORD && f.text[f.start[t]! - 1] !== '@';
  for (let t = 0; t < f.tokens; t++) if (spoken(t)) words++;
  for (let run = 0; run < f.runs; run++) {
    const part = model.kept.toxic[runSlot(f, run, model)]! * norms[V_LETTERS]!;
    logOdds += part;
    toxicSum[f.runOwner[run]!]! += part;
  }
  let lastKnown = -1;
  for (let i = 0; i < f.count; i++) {
    const view = f.view[i]!;
    const owner = f.owner[i]!;
    if (view !== V_WORDS || owner < 0) continue;
    const weight = lookUp(toxic, f.hash[i]!, view);
    if (weight === 0) continue;
    if (owner !== lastKnown && spoken(owner)) {
      known++;
      lastKnown = owner;
    }
    logOdds += weight * norms[view]!;
    toxicSum[owner]! += weight * norms[view]!;
  }
  const enough = f.foreignHints > 0 ? 0.6 : 0.34;
  if (words === 0 || (f.lang === 'und' && known < words * enough)) return { probability: 0, logOdds: 0 };
  const { slope, offset } = meta.toxic.calibration;
  logOdds = slope * logOdds + offset + (site ? shiftOf(prepare(site, 'toxicity'), f) : 0);
  return { probability: clamp(sigmoid(logOdds)), logOdds };
}

const clamp = (p: number) => Math.min(0.999999, Math.max(0.000001, p));
const round = (weight: number) => Math.round(weight * 1e4) / 1e4;
