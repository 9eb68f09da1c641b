/**
 * What one site's lessons add to the model's log-odds.
 *
 * The site's document holds the lessons themselves (hashed), not weights: the weights are a function of the set of
 * lessons, so that taking one back is exact, and neither order nor repetition matters.
 */
import { KIND_WORD, VIEWS, isCommonWord, wordFeature } from './features.ts';
import { inForce } from './lesson.ts';
import type { Features } from './features.ts';
import type { Axis, Lesson, SiteWeights } from './lesson.ts';

/** Features that a lesson keeps. */
export const LESSON_WORDS = 24;

/** The most that a site's lessons move a comment, in log-odds: they correct the model, they do not replace it. */
export const MOST_SHIFT = 4;
const PENALTY: Readonly<Record<Axis, number>> = { spam: 0.3, toxicity: 1 };
const BIAS_PENALTY = 24;
const ROUNDS = 120;

/** A site's weights, ready to be added. */
export type Prepared = { weights: ReadonlyMap<number, number>; bias: number };
const NOTHING: Prepared = { weights: new Map(), bias: 0 };

const V_LINKS = VIEWS.indexOf('links');
const BITS_24 = 0xffffff;

/**
 * What a lesson may keep: the words of the text and what its addresses are made of. No word that every comment has:
 * most lessons are of one label, and would make it speak for that. No names: a lesson is about what was said, and
 * a moderator's "spam" must not follow all who are called Kim.
 */
export function* lessonFeatures(f: Features): Generator<number> {
  const met = new Set<number>();
  for (let t = 0; t < f.tokens; t++) {
    const word = f.word[t]!;
    if (f.kind[t] !== KIND_WORD || isCommonWord(word) || met.has(word)) continue;
    met.add(word);
    yield wordFeature(word) & BITS_24;
  }
  for (let i = 0; i < f.count; i++) if (f.view[i] === V_LINKS) yield f.hash[i]! & BITS_24;
}

const prepared = new WeakMap<SiteWeights, Partial<Record<Axis, Prepared>>>();

/** Fits the weights of one axis; remembered for as long as the document lives. */
export function prepare(site: SiteWeights, axis: Axis): Prepared {
  const known = prepared.get(site) ?? {};
  if (!known[axis])
    prepared.set(
      site,
      Object.assign(known, {
        [axis]: fit(inForce(site.lessons, axis), axis),
      }),
    );
  return known[axis]!;
}

/**
 * A logistic regression of what the model got wrong: the model's log-odds are the offset, and a strong penalty keeps
 * the weights near 0 until several lessons agree. Accelerated gradient descent (Nesterov 1983), a fixed number of
 * rounds in a fixed order: the same lessons give the same weights to the last bit.
 */
function fit(lessons: readonly Lesson[], axis: Axis): Prepared {
  if (lessons.length === 0) return NOTHING;
  const columns = new Map<number, number>();
  const rows = lessons.map((lesson) => {
    const index = wordsOf(lesson.words).map((word) => {
      const known = columns.get(word) ?? columns.size;
      columns.set(word, known);
      return known;
    });
    return { index, norm: 1 / Math.sqrt(Math.max(1, index.length)), base: lesson.base, label: lesson.label };
  });
  const n = columns.size;
  const penalty = PENALTY[axis];
  // One-sided lessons say nothing about how common a thing is here: no bias from them.
  const twoSided = rows.some((row) => row.label === 1) && rows.some((row) => row.label === 0);
  // The loss curves at most rows/4 (unit rows, bias beside), so this step never overshoots.
  const step = 1 / (rows.length / 2 + Math.max(penalty, BIAS_PENALTY));
  let x = new Float64Array(n + 1);
  let ahead = x.slice();
  for (let round = 1; round <= ROUNDS; round++) {
    const gradient = new Float64Array(n + 1);
    for (let j = 0; j < n; j++) gradient[j] = penalty * ahead[j]!;
    gradient[n] = BIAS_PENALTY * ahead[n]!;
    for (const { index, norm, base, label } of rows) {
      let z = base + ahead[n]!;
      for (const j of index) z += ahead[j]! * norm;
      const error = 1 / (1 + Math.exp(-z)) - label;
      for (const j of index) gradient[j]! += error * norm;
      if (twoSided) gradient[n]! += error;
    }
    const next = ahead.map((value, j) => value - step * gradient[j]!);
    const momentum = (round - 1) / (round + 2);
    ahead = next.map((value, j) => value + momentum * (value - x[j]!));
    x = next;
  }
  const weights = new Map<number, number>();
  for (const [word, j] of columns) weights.set(word, x[j]!);
  return { weights, bias: x[n]! };
}

/** What a site adds to a comment's log-odds, within ±{@link MOST_SHIFT}. */
export function shiftOf({ weights, bias }: Prepared, f: Features): number {
  if (weights.size === 0) return 0;
  let sum = 0;
  let count = 0;
  for (const word of lessonFeatures(f)) {
    count++;
    sum += weights.get(word) ?? 0;
  }
  const shift = bias + (count > 0 ? sum / Math.sqrt(count) : 0);
  return Math.max(-MOST_SHIFT, Math.min(MOST_SHIFT, shift));
}

/** Packs hashes of 24 bits. */
export function packWords(words: readonly number[]): string {
  const bytes = Buffer.alloc(words.length * 3);
  words.forEach((word, i) => bytes.writeUIntBE(word, i * 3, 3));
  return bytes.toString('base64');
}
export function wordsOf(packed: string): number[] {
  const bytes = Buffer.from(packed, 'base64');
  return Array.from({ length: Math.floor(bytes.length / 3) }, (_, i) => bytes.readUIntBE(i * 3, 3));
}
