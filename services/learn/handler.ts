import { z } from 'zod';
import { OUTPUT_EVENTS } from '../../shared/events.ts';
import { parse } from '../../shared/parse.ts';
import type { Service } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { learn as teach } from '../spam-check/learn.ts';
import { lessonOf, unlearn } from '../spam-check/lesson.ts';
import { lessonsOf } from '../spam-check/lessons.ts';
import { plainText } from '../validate/markdown.ts';

const Batch = z.object({ Records: z.array(z.object({ messageId: z.string(), body: z.string() })) });
const Envelope = z.object({ 'detail-type': z.literal('DecisionMade'), detail: OUTPUT_EVENTS.DecisionMade });

/**
 * Teaches a site's own weights what its moderators decide. Each decision once, however often its event comes; a decision
 * that was undone teaches nothing any more.
 */
export const learn: Service = ({ table, clock, log }) => {
  const store = storeOf(table, clock);
  const lessons = lessonsOf(table, clock);
  return async (input) => {
    const { Records } = parse(Batch, input, 'Internal.Bug');
    const batchItemFailures: { itemIdentifier: string }[] = [];
    for (const { messageId, body } of Records) {
      try {
        const { detail } = parse(Envelope, JSON.parse(body), 'Comment.Malformed');
        await takeIn(detail);
      } catch (error) {
        log.warn({ err: error, messageId }, 'decision not learned');
        batchItemFailures.push({ itemIdentifier: messageId });
      }
    }
    return { batchItemFailures };
  };

  async function takeIn(detail: z.infer<typeof OUTPUT_EVENTS.DecisionMade>): Promise<void> {
    const { site, undoes } = detail;
    if (undoes !== undefined) {
      await lessons.change(site, (weights) => unlearn(weights, undoes));
      return;
    }
    const lesson = lessonOf({
      action: detail.action,
      from: detail.from,
      ...(detail.reason !== undefined && { reason: detail.reason }),
    });
    // The policy's own defaults are no evidence of what a person thinks.
    if (!lesson || !detail.by.startsWith('user:')) return;
    const comment = await store.get(detail.id);
    if (!comment) return;
    const text = await store.revision(comment.id, detail.revision ?? comment.publishedRevision ?? comment.revision);
    if (!text) return;
    const taught = await lessons.change(site, (weights) =>
      teach(weights, {
        decisionId: detail.decisionId,
        commentId: comment.id,
        by: detail.by,
        text: plainText(text.body),
        author: comment.author.name,
        ...(comment.author.url && { link: comment.author.url }),
        ...lesson,
      }),
    );
    // An undo may have overtaken its decision. Looked for last: one that comes later finds the lesson here.
    if (await wasUndone(detail.id, detail.decisionId)) {
      await lessons.change(site, (weights) => unlearn(weights, detail.decisionId));
      return;
    }
    if (taught) log.info({ commentId: comment.id, site, axis: lesson.axis, label: lesson.label }, 'decision learned');
  }

  async function wasUndone(id: string, decisionId: string): Promise<boolean> {
    if ((await store.get(id))?.decisionId === decisionId) return false;
    return (await store.log(id)).some(({ action, before }) => action === 'undo' && before?.decisionId === decisionId);
  }
};
