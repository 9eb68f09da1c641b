/**
 * Makes a model file from labelled comments. Deterministic: the same rows give the same bytes.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SHAPE, VIEWS, LINK_FROM, NAME_FROM } from './features.ts';
import { applyLinear, applyTrees, fitLinear, fitTrees, lbfgs, readCorpus, sigmoid, total } from './fit.ts';
import type { Corpus, Linear, LinearOptions, Tree, TreeOptions } from './fit.ts';
import { COLUMNS, PARTS, compress, expand, markOf, packModel } from './model.ts';
import type { ModelMeta, Table } from './model.ts';
import { deriveThresholds, thresholdFor } from './thresholds.ts';
import type { Thresholds } from './thresholds.ts';

export type Row = {
  id: string;
  source: string;
  lang: string;
  kind: string;
  text: string;
  author?: string;
  link?: string;
  label: 'spam' | 'ham';
  toxic?: 0 | 1;
  fold: number;
};

export type Corpora = { rows: readonly Row[]; spam: Corpus; toxicRows: readonly Row[]; toxic: Corpus };

const WRITTEN = 'written';

/** Where each source comes from: repository, commit, licence, as far as it is stated. */
const PROVENANCE: Record<string, string> = {
  tubespam_psy: 'tuliocasagrande/youtube-spam-experiment 12165f0a84; none stated (data also at UCI 380)',
  tubespam_katyperry: 'tuliocasagrande/youtube-spam-experiment 12165f0a84; none stated (data also at UCI 380)',
  tubespam_eminem: 'tuliocasagrande/youtube-spam-experiment 12165f0a84; none stated (data also at UCI 380)',
  yt_scam2022: 'toreyes0/YouTube-Comment-Spam-Detector 2f68713a68; none stated',
  judol_gbennnn: 'gbennnn/judol-comment-classification efabf6ce2c; MIT',
  judol_kaggle2025: 'Yusufislam-id/comment-spam-gambling-detection c93ddaea80; none stated',
  ig_indonesia: 'jingwuk/Instagram-Spam-Comment-Detection 797da6252a; none stated',
  blog_midonet: "midonet/midonet-blog 20ca285dee; WordPress's GPL-2 file only, none for the comments",
  blog_koreconx: "afterclassroom/blog_koreconx 5584a52e55; WordPress's GPL-2 file only, none for the comments",
  blog_natalierose: "ElectricRose/natalie-rose aaaed81648; WordPress's GPL-2 file only, none for the comments",
  blog_buildtimes: 'eduardoboucas/buildtimes 3c92e907ae; none stated',
  blog_datacamp: 'Desmond00/DatacampArticleSentimentAnalysis a68549a101; none stated',
  blog_haacked: 'haacked/haacked.com 3a513ff4a3; none stated',
  blog_mademistakes: 'mmistakes/made-mistakes-jekyll 778e5cd667; MIT (site code)',
  blog_hajekj: 'hajekj/hajekj.github.io 61c1136413; none stated',
  written: 'written for this project, not collected: written.jsonl beside the model',
  tox_davidson: 't-davidson/hate-speech-and-offensive-language cb50f7e9eb; MIT',
};

/** Reads the labelled rows of a folder; `tox_*` files are the toxicity axis. */
export function readRows(folder: string): Row[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .toSorted()
    .flatMap((name) =>
      readFileSync(join(folder, name), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Row),
    );
}

/** The comments that were written for training: their file says how they look, the model card why they are there. */
export function writtenRows(): Row[] {
  return readFileSync(new URL('written.jsonl', import.meta.url), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line, i) => ({
      ...(JSON.parse(line) as Pick<Row, 'lang' | 'label' | 'text' | 'author' | 'link'>),
      id: `written-${i + 1}`,
      source: WRITTEN,
      kind: WRITTEN,
      fold: i % 5,
    }));
}

export function readCorpora(all: readonly Row[]): Corpora {
  const rows = all.filter((row) => row.toxic === undefined);
  // Honest comments of moderated blogs stand for what is not abuse; video comments were never read for it.
  const toxicRows = all.filter((row) => row.toxic !== undefined || (row.kind === 'blog' && row.label === 'ham'));
  const toxicText = toxicRows.map(({ text }) => ({ text }));
  return { rows, spam: readCorpus(rows), toxicRows, toxic: readCorpus(toxicText) };
}

/** Sources of thousands do not outvote sources of hundreds by as much as they outnumber them. */
const BALANCE = 0.35;
const V = VIEWS.length;
const S = SHAPE.length;

/** Regressions that err differently, by rare words and by usual ones; their mean is one again, so it costs nothing to judge with. */
const RARE: LinearOptions = {
  minRows: 2,
  penalty: [1, 1, 1, 1],
  shapePenalty: 0.5,
  dropout: 0.4,
  iterations: 30,
  scale: [1, 2, 1, 1],
  idf: 1,
  bayes: 0.7,
};
const MEMBERS: LinearOptions[] = [
  RARE,
  { ...RARE, scale: [1, 1, 1, 1], penalty: [0.5, 0.5, 0.5, 0.5], bayes: 0 },
  { ...RARE, scale: [1, 1, 1, 1], bayes: 0.9, idf: 0.5, penalty: [0.3, 0.3, 0.3, 0.3], shapePenalty: 0.3 },
];
const TREES: TreeOptions = {
  trees: 90,
  depth: 4,
  rate: 0.07,
  penalty: 6,
  minWeight: 4,
  columns: 0.4,
  rows: 0.7,
  seed: 11,
};
const BARE = 0.5;
const SEEDS = [11, 12];
const SPAM_BITS = 18;
const TOXIC_BITS = 17;

export type Trained = {
  bytes: Uint8Array;
  meta: ModelMeta;
  /** Scores of training rows by models that had not seen their fold; NaN elsewhere. */
  oof: Float64Array;
};

/**
 * Trains both axes.
 *
 * @param keep which rows may be seen; all others have no influence
 * @param made day of the data, for the record
 */
export function train(
  corpora: Corpora,
  keep: (row: Row) => boolean,
  made: string,
  log: (line: string) => void = () => {},
): Trained {
  const { rows, spam: corpus } = corpora;
  const label = Uint8Array.from(rows, (row) => (row.label === 'spam' ? 1 : 0));
  const weight = balanced(rows, keep);
  const folds = [...new Set(rows.filter((_, r) => weight[r]! > 0).map((row) => row.fold))].toSorted();

  // What the linear part says of rows it has not seen: the trees must meet it as they will in life.
  const parts: (Float64Array | undefined)[] = Array.from({ length: rows.length });
  for (const fold of folds) {
    const rest = weight.map((w, r) => (rows[r]!.fold === fold ? 0 : w));
    if (rest.every((w) => w === 0)) continue;
    const model = fitMembers(corpus, label, rest);
    for (let r = 0; r < rows.length; r++)
      if (rows[r]!.fold === fold && weight[r]! > 0) parts[r] = applyLinear(corpus, r, model);
    log(`linear part without fold ${fold}`);
  }
  const linear = fitMembers(corpus, label, weight);
  log('linear part');

  const shown = rows.flatMap((_, r) => (parts[r] ? [r] : []));
  const stack = stackOf(corpus, shown, parts, label, weight);
  const fitStack = (without?: number) => {
    const w = stack.weight.map((value, i) => (rows[stack.row[i]!]!.fold === without ? 0 : value));
    return w.some((value) => value > 0) ? fitForest(stack, w) : [];
  };
  const oofLogit = new Float64Array(rows.length).fill(Number.NaN);
  for (const fold of folds) {
    const trees = fitStack(fold);
    shown.forEach((r, i) => {
      if (rows[r]!.fold === fold) oofLogit[r] = stack.offset[i]! + applyTrees(trees, stack.x, i * COLUMNS);
    });
  }
  const trees = fitStack();
  log('trees');
  const calibration = calibrate(shown.map((r) => ({ z: oofLogit[r]!, label: label[r]!, weight: 1 })));
  const oof = oofLogit.map((z) => sigmoid(calibration.slope * z + calibration.offset));

  const spamPacked = packTable(corpus, linear.weights, SPAM_BITS);
  const toxic = trainToxic(corpora, keep);
  log('toxicity');
  const ham = Map.groupBy(
    shown.filter((r) => !label[r]),
    (r) => rows[r]!.source,
  );
  const thresholds: Thresholds = {
    ...deriveThresholds(
      [...ham.values()].map((group) => ({ blog: rows[group[0]!]!.kind === 'blog', scores: group.map((r) => oof[r]!) })),
    ),
    toxicityHoldAt: toxic.holdAt,
  };

  const meta: ModelMeta = {
    format: 1,
    version: '',
    made,
    sources: sourcesOf([...rows, ...corpora.toxicRows.filter((row) => row.toxic !== undefined)].filter(keep)),
    thresholds,
    spam: {
      bias: linear.bias,
      shapeMean: [...linear.shapeMean],
      shapeScale: [...linear.shapeScale],
      shapeWeights: [...linear.shapeWeights],
      viewMax: spamPacked.max,
      bits: SPAM_BITS,
      trees: { count: trees.length, depth: TREES.depth },
      calibration,
    },
    toxic: { bias: toxic.bias, viewMax: toxic.packed.max, bits: TOXIC_BITS, calibration: toxic.calibration },
  };
  const flat = <A extends Float32Array | Int16Array>(pick: (tree: Tree) => A) =>
    trees.flatMap((tree) => [...pick(tree)]);
  const model = {
    meta,
    spam: spamPacked.table,
    toxic: toxic.packed.table,
    trees: {
      depth: TREES.depth,
      count: trees.length,
      feature: Int8Array.from(flat((tree) => tree.feature)),
      threshold: Float32Array.from(flat((tree) => tree.threshold)),
      value: Float32Array.from(flat((tree) => tree.value)),
    },
  };
  meta.version = createHash('sha256').update(packModel(model)).digest('hex').slice(0, 12);
  return { bytes: packModel(model), meta, oof };
}

/** The mean of two boosts that drew other rows and columns. */
function fitForest(stack: ReturnType<typeof stackOf>, weight: Float64Array): Tree[] {
  return SEEDS.flatMap((seed) =>
    fitTrees(stack.x, COLUMNS, stack.label, weight, stack.offset, { ...TREES, seed }).map((tree) => ({
      ...tree,
      value: tree.value.map((value) => value / SEEDS.length),
    })),
  );
}

function balanced(rows: readonly Row[], keep: (row: Row) => boolean): Float64Array {
  const counts = new Map<string, number>();
  for (const row of rows) if (keep(row)) counts.set(row.source, (counts.get(row.source) ?? 0) + 1);
  const weight = Float64Array.from(rows, (row) => (keep(row) ? counts.get(row.source)! ** -BALANCE : 0));
  const mean = weight.reduce((a, b) => a + b, 0) / Math.max(1, weight.filter((w) => w > 0).length);
  return weight.map((w) => w / (mean || 1));
}

function fitMembers(corpus: Corpus, label: Uint8Array, weight: Float64Array): Linear {
  const models = MEMBERS.map((options) => fitLinear(corpus, label, weight, options));
  const mean = (pick: (model: Linear) => Float64Array) =>
    pick(models[0]!).map((_, j) => models.reduce((sum, model) => sum + pick(model)[j]!, 0) / models.length);
  return {
    bias: models.reduce((sum, model) => sum + model.bias, 0) / models.length,
    weights: mean((model) => model.weights),
    shapeWeights: mean((model) => model.shapeWeights),
    shapeMean: models[0]!.shapeMean,
    shapeScale: models[0]!.shapeScale,
  };
}

/** The rows that the trees learn from: each as it is, then each without author and link. */
function stackOf(
  corpus: Corpus,
  shown: number[],
  parts: (Float64Array | undefined)[],
  label: Uint8Array,
  weight: Float64Array,
) {
  const bare = shown.filter((r) => corpus.hasAuthor[r] || corpus.hasLink[r]);
  const row = [...shown, ...bare];
  const x = new Float32Array(row.length * COLUMNS);
  const offset = new Float64Array(row.length);
  row.forEach((r, i) => {
    const isBare = i >= shown.length;
    const part = Float64Array.from(parts[r]!);
    if (isBare) {
      part[VIEWS.indexOf('author')] = part[V + 1] = part[V + 2] = 0;
      if (corpus.hasLink[r]) part[VIEWS.indexOf('links')] = 0;
    }
    for (let s = 0; s < S; s++) {
      const absent =
        s >= LINK_FROM ? isBare || !corpus.hasLink[r] : s >= NAME_FROM ? isBare || !corpus.hasAuthor[r] : false;
      x[i * COLUMNS + s] = absent ? -1 : corpus.shape[r * S + s]!;
    }
    offset[i] = total(part);
    x.set(part.subarray(0, PARTS.length - 1), i * COLUMNS + S);
    x[i * COLUMNS + COLUMNS - 1] = offset[i]!;
  });
  return {
    row,
    x,
    offset,
    label: Uint8Array.from(row, (r) => label[r]!),
    weight: Float64Array.from(row, (r, i) =>
      i >= shown.length
        ? BARE * weight[r]!
        : corpus.hasAuthor[r] || corpus.hasLink[r]
          ? (1 - BARE) * weight[r]!
          : weight[r]!,
    ),
  };
}

/** Platt's scaling (1999): the two numbers that turn log-odds into honest log-odds. */
function calibrate(scored: { z: number; label: number; weight: number }[]): { slope: number; offset: number } {
  if (scored.length === 0) return { slope: 1, offset: 0 };
  const x = lbfgs(
    2,
    ([slope, offset], gradient) => {
      let loss = 0;
      gradient.fill(0);
      for (const { z, label, weight } of scored) {
        const p = sigmoid((1 + slope!) * z + offset!);
        loss -= weight * Math.log(Math.max(1e-12, label ? p : 1 - p));
        gradient[0]! += weight * (p - label) * z;
        gradient[1]! += weight * (p - label);
      }
      // A small corpus may be separable: the slope stays near 1.
      gradient[0]! += slope!;
      gradient[1]! += offset!;
      return loss + 0.5 * (slope! ** 2 + offset! ** 2);
    },
    100,
  );
  return { slope: 1 + x[0]!, offset: x[1]! };
}

/** The heaviest features first, each into its slot or the slot beside it; what finds no place is dropped. */
function packTable(corpus: Corpus, weights: Float64Array, bits: number): { table: Table; max: number[] } {
  const size = 2 ** bits;
  const max = VIEWS.map((_, v) => {
    const view = weights
      .filter((w, j) => corpus.view[j] === v && w !== 0)
      .map(Math.abs)
      .sort();
    // Clipped at 99.95 %: one extreme weight would coarsen all others.
    return view[Math.floor(view.length * 0.9995)] ?? view.at(-1) ?? 1;
  });
  const table: Table = { mask: size - 1, slots: new Uint16Array(size), scale: [] };
  const order = Int32Array.from({ length: weights.length }, (_, j) => j)
    .filter((j) => weights[j] !== 0)
    .sort(
      (a, b) => Math.abs(weights[b]!) / max[corpus.view[b]!]! - Math.abs(weights[a]!) / max[corpus.view[a]!]! || a - b,
    );
  for (const j of order) {
    const byte = compress(weights[j]!, max[corpus.view[j]!]!);
    if (byte === 0) continue;
    const hash = corpus.hashes[j]!;
    const mark = markOf(hash);
    for (const slot of [hash & table.mask, (hash & table.mask) ^ 1]) {
      const held = table.slots[slot]! >>> 8;
      if (held === mark) break; // indistinguishable from a heavier one
      if (held !== 0) continue;
      table.slots[slot] = (mark << 8) | (byte + 128);
      break;
    }
  }
  table.scale = max.map((m) => Float32Array.from({ length: 256 }, (_, byte) => expand(byte - 128, m)));
  return { table, max };
}

const TOXIC: LinearOptions[] = [
  {
    minRows: 2,
    penalty: [0.5, 0.5, 0.5, 0.5],
    shapePenalty: Number.POSITIVE_INFINITY,
    dropout: 0,
    iterations: 40,
    scale: [1, 1, 0, 0],
    idf: 0.5,
    bayes: 0.8,
  },
  {
    minRows: 2,
    penalty: [0.5, 0.5, 0.5, 0.5],
    shapePenalty: Number.POSITIVE_INFINITY,
    dropout: 0,
    iterations: 40,
    scale: [1, 0.5, 0, 0],
    idf: 1,
    bayes: 0.8,
  },
];
/** A plain blog comment weighs this much against a tweet: enough that none is flagged, little enough that tweets decide. */
const BLOG_WEIGHT = 0.3;

function trainToxic({ toxicRows, toxic: corpus }: Corpora, keep: (row: Row) => boolean) {
  const label = Uint8Array.from(toxicRows, (row) => row.toxic ?? 0);
  const weight = Float64Array.from(toxicRows, (row) => (keep(row) ? (row.toxic === undefined ? BLOG_WEIGHT : 1) : 0));
  const fit = (w: Float64Array) => {
    const models = TOXIC.map((options) => fitLinear(corpus, label, w, options));
    return {
      bias: models.reduce((sum, model) => sum + model.bias, 0) / models.length,
      weights: models[0]!.weights.map(
        (_, j) => models.reduce((sum, model) => sum + model.weights[j]!, 0) / models.length,
      ),
    };
  };
  const logit = (model: { bias: number; weights: Float64Array }, r: number) => {
    const parts = applyLinear(corpus, r, {
      ...model,
      shapeWeights: new Float64Array(S),
      shapeMean: new Float64Array(S),
      shapeScale: new Float64Array(S),
    });
    return total(parts);
  };
  const scored: { z: number; label: number; weight: number; blog: boolean }[] = [];
  for (const parity of [0, 1]) {
    const rest = weight.map((w, r) => (toxicRows[r]!.fold % 2 === parity ? 0 : w));
    if (rest.every((w) => w === 0)) continue;
    const model = fit(rest);
    for (let r = 0; r < toxicRows.length; r++)
      if (toxicRows[r]!.fold % 2 === parity && weight[r]! > 0)
        scored.push({
          z: logit(model, r),
          label: label[r]!,
          weight: weight[r]!,
          blog: toxicRows[r]!.toxic === undefined,
        });
  }
  const calibration = calibrate(scored);
  const model = fit(weight);
  const blog = scored.filter((s) => s.blog).map((s) => sigmoid(calibration.slope * s.z + calibration.offset));
  return {
    bias: model.bias,
    packed: packTable(corpus, model.weights, TOXIC_BITS),
    calibration,
    holdAt: Math.max(0.5, thresholdFor(blog, 0.002)),
  };
}

function sourcesOf(rows: readonly Row[]): ModelMeta['sources'] {
  return [...Map.groupBy(rows, (row) => row.source)].toSorted().map(([source, group]) => ({
    source,
    rows: group.length,
    positives: group.filter((row) => row.label === 'spam' || row.toxic === 1).length,
    provenance: PROVENANCE[source] ?? 'not recorded',
  }));
}
