/**
 * A site's lessons: what its moderators' decisions taught, as a document, and taking them back. Pure, and without the
 * model, so that whoever only takes back need not load it.
 */
import { createHash } from 'node:crypto';

export const AXES = ['spam', 'toxicity'] as const;
export type Axis = (typeof AXES)[number];

export type Lesson = {
  /** The decision that taught it; once per decision. */
  id: string;
  /** Hash of who decided. */
  by: string;
  /** Hash of the comment: of several lessons about one, the newest counts. */
  about: string;
  axis: Axis;
  label: 0 | 1;
  /** Log-odds that the model alone gave. */
  base: number;
  /** Hashed features: 24 bits each, base64. */
  words: string;
};

/** All that one person decided between two decision ids, both inclusive: it teaches nothing, should it come again. */
export type TakenBack = { by: string; from: string; to: string };

/** Under 64 KB as JSON, however much is taught: the newest lessons of each axis and label stay. */
export type SiteWeights = {
  readonly format: 1;
  readonly lessons: readonly Lesson[];
  readonly takenBack?: readonly TakenBack[];
};

export const EMPTY_SITE: SiteWeights = { format: 1, lessons: [] };
/** Lessons that stay, by axis and label. */
export const LESSONS: Readonly<Record<Axis, number>> = { spam: 120, toxicity: 30 };
const MOST_TAKEN_BACK = 20;

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

/** Adds a lesson, unless its decision was learned or taken back; at the bound of an axis and label, the oldest goes. */
export function withLesson(site: SiteWeights, lesson: Lesson): SiteWeights {
  const { id, by } = lesson;
  if (site.lessons.some((known) => known.id === id)) return site;
  if (site.takenBack?.some((back) => back.by === by && back.from <= id && id <= back.to)) return site;
  return { ...site, lessons: bounded([...site.lessons, lesson]) };
}

/** Takes one decision back: what is left is what would be there without it, but for lessons that had already gone. */
export function unlearn(site: SiteWeights, decisionId: string): SiteWeights {
  const id = shortId(decisionId);
  const lessons = site.lessons.filter((lesson) => lesson.id !== id);
  return lessons.length === site.lessons.length ? site : { ...site, lessons };
}

/** Takes back all that one person taught; what they decide may be learned again. */
export function unlearnPerson(site: SiteWeights, person: string): SiteWeights {
  const by = personHash(person);
  return { ...site, lessons: site.lessons.filter((lesson) => lesson.by !== by) };
}

/**
 * Takes back all that one person taught from one decision id to another, for good: those lessons that are here, and
 * those whose event is still under way, or comes again.
 */
export function takeBack(site: SiteWeights, person: string, from: string, to: string): SiteWeights {
  const by = personHash(person);
  return {
    ...site,
    lessons: site.lessons.filter((lesson) => lesson.by !== by || lesson.id < from || lesson.id > to),
    takenBack: [...(site.takenBack ?? []), { by, from, to }].slice(-MOST_TAKEN_BACK),
  };
}

/** Ids of decisions sort by time, so that the oldest go first and the same lessons stay in whatever order they came. */
function bounded(lessons: Lesson[]): Lesson[] {
  const sorted = lessons.toSorted(byId);
  return AXES.flatMap((axis) =>
    ([0, 1] as const).flatMap((label) =>
      sorted.filter((lesson) => lesson.axis === axis && lesson.label === label).slice(-LESSONS[axis]),
    ),
  ).toSorted(byId);
}

/** Of several lessons about one comment, the newest decision's: a mistake that was mended teaches no longer. */
export function inForce(lessons: readonly Lesson[], axis: Axis): Lesson[] {
  const newest = new Map<string, Lesson>();
  for (const lesson of lessons.toSorted(byId)) if (lesson.axis === axis) newest.set(lesson.about, lesson);
  return [...newest.values()].toSorted(byId);
}

const byId = (a: Lesson, b: Lesson) => (a.id < b.id ? -1 : 1);

const hash = (value: string, length: number) => createHash('sha256').update(value).digest('base64url').slice(0, length);
export const personHash = (by: string) => hash(by, 12);
export const commentHash = (id: string) => hash(id, 8);
/** Ids are ULIDs; anything longer is kept by its hash, so that a document stays bounded. */
export const shortId = (id: string) => (id.length <= 40 ? id : hash(id, 27));
