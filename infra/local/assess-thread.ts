import { parentPort } from 'node:worker_threads';
import { assess, shippedModel } from '../../services/spam-check/model.ts';
import { EMPTY_SITE, type SiteWeights } from '../../services/spam-check/lesson.ts';
import type { Question } from './assessor.ts';

/** The other end of `assessor.ts`: takes questions, and gives as many answers in their order. */
const weightsBy = new Map<number, SiteWeights>();

shippedModel();
parentPort?.on('message', (questions: readonly Question[]) => {
  parentPort?.postMessage(
    questions.map(({ comment, site, weights }) => {
      if (weights) weightsBy.set(site, weights);
      return assess(comment, weightsBy.get(site) ?? EMPTY_SITE);
    }),
    [],
  );
});
