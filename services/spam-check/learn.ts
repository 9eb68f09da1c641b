/**
 * Teaching a site's own weights, and taking back what was taught. Pure: a document goes in, a document comes out.
 */
import { createHash } from 'node:crypto';
import { extract } from './features.ts';
import { explain } from './model.ts';
import { AXES, LESSONS, LESSON_WORDS, lessonFeatures, packWords } from './site-weights.ts';
import type { Axis, Lesson, SiteWeights } from './site-weights.ts';
import type { Model } from './model.ts';

export type Example = {
  decisionId: string;
  /** Who decided; kept as a hash. */
  by: string;
  text: string;
  author?: string;
  link?: string;
  axis: Axis;
  label: 0 | 1;
};

/** What a person decided, as far as it may teach. */
export type TaughtBy = { action: string; reason?: string; from: string };

/**
 * What a decision teaches, if anything.
 *
 * Only what says "this is spam" or "this is not" teaches the spam axis: `spam`, `publish` of what was held, `restore`
 * of what was rejected or marked spam. `reject` for abuse teaches toxicity. Every other decision is about something
 * else (off-topic, illegal, a closed quarrel): learning from it would make spammers of angry regulars.
 */
export function lessonOf({ action, reason, from }: TaughtBy): { axis: Axis; label: 0 | 1 } | undefined {
  if (action === 'spam') return { axis: 'spam', label: 1 };
  if (action === 'publish' && from === 'held') return { axis: 'spam', label: 0 };
  if (action === 'restore' && (from === 'rejected' || from === 'spam')) return { axis: 'spam', label: 0 };
  if (action === 'reject' && reason === 'abuse') return { axis: 'toxicity', label: 1 };
  return undefined;
}

/**
 * Adds a lesson. The result depends on the set of lessons alone, not on their order; the same decision again changes
 * nothing. When an axis and label is full, the lesson with the smallest decision id goes (ids sort by time).
 */
export function learn(site: SiteWeights, example: Example, model?: Model): SiteWeights {
  const id = shortId(example.decisionId);
  if (site.lessons.some((lesson) => lesson.id === id)) return site;
  const comment = {
    text: example.text,
    ...(example.author !== undefined && { author: example.author }),
    ...(example.link !== undefined && { link: example.link }),
  };
  const { logOdds, toxicity } = explain(comment, undefined, model);
  const base = example.axis === 'spam' ? logOdds : Math.log((toxicity + 1e-3) / (1 - toxicity + 1e-3));
  // The smallest hashes are the same sample in every near copy of the text (min-wise hashing, Broder 1997).
  const words = [...lessonFeatures(extract(comment))].sort((a, b) => a - b).slice(0, LESSON_WORDS);
  const lesson: Lesson = {
    id,
    by: personHash(example.by),
    axis: example.axis,
    label: example.label,
    base: Math.round(base * 1e4) / 1e4,
    words: packWords(words),
  };
  return { format: 1, lessons: bounded([...site.lessons, lesson]) };
}

/** Takes one decision back: what is left is what would be there without it, but for lessons that had already gone. */
export function unlearn(site: SiteWeights, decisionId: string): SiteWeights {
  const id = shortId(decisionId);
  return { format: 1, lessons: site.lessons.filter((lesson) => lesson.id !== id) };
}

/** Takes back all that one person taught. */
export function unlearnPerson(site: SiteWeights, by: string): SiteWeights {
  const hash = personHash(by);
  return { format: 1, lessons: site.lessons.filter((lesson) => lesson.by !== hash) };
}

function bounded(lessons: Lesson[]): Lesson[] {
  const sorted = lessons.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return AXES.flatMap((axis) =>
    ([0, 1] as const).flatMap((label) =>
      sorted.filter((lesson) => lesson.axis === axis && lesson.label === label).slice(-LESSONS[axis]),
    ),
  ).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

const personHash = (by: string) => createHash('sha256').update(by).digest('base64url').slice(0, 12);
/** Ids are ULIDs; anything longer is kept by its hash, so that a document stays bounded. */
const shortId = (id: string) =>
  id.length <= 40 ? id : createHash('sha256').update(id).digest('base64url').slice(0, 27);
