import { z } from 'zod';
import type { Comment, Judged } from './comment.ts';

/** A verdict as it travels from the judge to what follows it: no signals, no words. */
export const JudgedStep = z
  .object({
    verdict: z.enum(['publish', 'hold', 'reject']),
    score: z.number(),
    toxicity: z.number(),
    reason: z.string(),
    revision: z.int(),
    degraded: z.array(z.string()).optional(),
    at: z.number(),
    lang: z.string(),
  })
  .nullish();

type Brief = Omit<Judged, 'degraded'> & { degraded?: readonly string[] | undefined };

/** What a head keeps of a judgement. */
export const judgedOf = ({ verdict, score, toxicity, reason, revision, degraded, at }: Brief): Judged => ({
  verdict,
  score,
  toxicity,
  reason,
  revision,
  ...(degraded && { degraded }),
  at,
});

/** What a comment remembers of the verdict by which it was decided. */
export const rememberedOf = (judged: z.infer<typeof JudgedStep>): Pick<Comment, 'judgement' | 'lang'> | undefined =>
  judged ? { judgement: judgedOf(judged), lang: judged.lang } : undefined;
