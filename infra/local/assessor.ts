import { Worker } from 'node:worker_threads';
import type { CommentText } from '../../services/spam-check/features.ts';
import { assess, type Assessment } from '../../services/spam-check/model.ts';
import type { SiteWeights } from '../../services/spam-check/lesson.ts';

/** `weights` come with the first question that needs them; `site` names them afterwards. */
export type Question = { comment: CommentText; site: number; weights?: SiteWeights };

/** More than this in a second, and a thread of their own is worth its memory (some 50 MB). */
const MANY_A_SECOND = 100;
/** Questions sent and not answered; beyond it the asking thread helps itself. */
const MOST_WAITING = 256;
/** Sites whose weights the thread holds. */
const MOST_SITES = 500;

type Asked = Question & { resolve(answer: Assessment): void; whole: SiteWeights | undefined };

/**
 * The model's opinion: worked out here, and from a certain pace on by a thread beside the one that writes.
 *
 * A thread that fails is not missed: what it was asked is answered here, and so is all that follows.
 */
export function localAssessor(
  thread = new URL('./assess-thread.ts', import.meta.url),
): (comment: CommentText, weights?: SiteWeights) => Promise<Assessment> {
  let second = 0;
  let asked = 0;
  let worker: Worker | undefined;
  let ready = false;
  let failed = false;
  let batch: Asked[] = [];
  const waiting: Asked[] = [];
  let numbers = new WeakMap<SiteWeights, number>();
  let sites = 0;

  const start = (): void => {
    worker = new Worker(thread);
    worker.on('online', () => {
      ready = true;
    });
    worker.on('message', (answers: readonly Assessment[]) => {
      for (const answer of answers) waiting.shift()?.resolve(answer);
      if (waiting.length === 0) worker?.unref();
    });
    const fail = (): void => {
      failed = true;
      for (const { comment, whole, resolve } of waiting.splice(0)) resolve(assess(comment, whole));
    };
    worker.on('error', fail);
    worker.on('exit', fail);
    // It holds the process open while it owes an answer, no longer. After the listeners: to listen for messages refs it too.
    worker.unref();
  };

  const send = (): void => {
    const questions = batch;
    batch = [];
    if (failed) {
      for (const { comment, whole, resolve } of questions) resolve(assess(comment, whole));
      return;
    }
    waiting.push(...questions);
    worker?.ref();
    worker?.postMessage(
      questions.map(({ comment, site, weights }): Question => ({ comment, site, ...(weights && { weights }) })),
      [],
    );
  };

  /** The number by which the thread knows these weights; new ones are sent along. */
  const known = (weights: SiteWeights | undefined): Pick<Question, 'site' | 'weights'> => {
    if (!weights) return { site: 0 };
    const site = numbers.get(weights);
    if (site !== undefined) return { site };
    if (sites >= MOST_SITES) {
      numbers = new WeakMap();
      sites = 0;
    }
    sites += 1;
    numbers.set(weights, sites);
    return { site: sites, weights };
  };

  return async (comment, weights) => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) {
      second = now;
      asked = 0;
    }
    asked += 1;
    if (asked > MANY_A_SECOND && !worker) start();
    if (!ready || failed || waiting.length + batch.length >= MOST_WAITING) return assess(comment, weights);
    return new Promise((resolve) => {
      if (batch.length === 0) setImmediate(send);
      batch.push({ comment, ...known(weights), whole: weights, resolve });
    });
  };
}
