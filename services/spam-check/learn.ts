/**
 * Teaching a site's own weights. Pure: a document goes in, a document comes out.
 */
import { extract } from './features.ts';
import { commentHash, personHash, shortId, withLesson } from './lesson.ts';
import { explain } from './model.ts';
import { LESSON_WORDS, lessonFeatures, packWords } from './site-weights.ts';
import type { Axis, SiteWeights } from './lesson.ts';
import type { Model } from './model.ts';

export type Example = {
  decisionId: string;
  commentId: string;
  /** Who decided; kept as a hash. */
  by: string;
  text: string;
  author?: string;
  link?: string;
  axis: Axis;
  label: 0 | 1;
};

/**
 * Adds a lesson. The result depends on the set of lessons alone, not on their order; the same decision again changes
 * nothing, and neither does one that was taken back with all that its moderator taught.
 */
export function learn(site: SiteWeights, example: Example, model?: Model): SiteWeights {
  const comment = {
    text: example.text,
    ...(example.author !== undefined && { author: example.author }),
    ...(example.link !== undefined && { link: example.link }),
  };
  const { logOdds, toxicity } = explain(comment, undefined, model);
  const base = example.axis === 'spam' ? logOdds : Math.log((toxicity + 1e-3) / (1 - toxicity + 1e-3));
  // The smallest hashes are the same sample in every near copy of the text (min-wise hashing, Broder 1997).
  const words = [...lessonFeatures(extract(comment))].sort((a, b) => a - b).slice(0, LESSON_WORDS);
  return withLesson(site, {
    id: shortId(example.decisionId),
    by: personHash(example.by),
    about: commentHash(example.commentId),
    axis: example.axis,
    label: example.label,
    base: Math.round(base * 1e4) / 1e4,
    words: packWords(words),
  });
}
