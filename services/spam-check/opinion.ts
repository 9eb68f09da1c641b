import type { Signal } from '../../shared/comment.ts';

/** What a trained model adds to the rules. Without one the rules decide alone. */
export type Opinion = { logOdds?: number; toxicity: number; lang: string; signals: readonly Signal[] };

export const MODEL_VERSION = 'rules';

/** The seam where the trained judge joins. */
export function modelOpinion(_comment: { text: string; author?: string; link?: string }): Opinion {
  return { toxicity: 0, lang: '', signals: [] };
}
