import { z } from 'zod';
import { SluiceError } from '../../shared/errors.ts';
import { SiteId } from '../../shared/events.ts';
import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { deadLettersOf, messageOf, NO_SITE, type DeadLetter } from '../../shared/store/dead-letters.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { audit } from './audit-log.ts';
import { may, mustBe, type Moderator } from './moderator.ts';

const ListQuery = z.strictObject({
  site: SiteId.optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z.string().max(2000).optional(),
});
const RedriveAll = z.strictObject({ site: SiteId.optional() });

/** A redrive of all ends, even while the same letters fail again and come back. */
const REDRIVE_AT_MOST = 10_000;

export function deadLetterRoutes(ports: Ports): Route<Moderator>[] {
  const { table, clock, queues, vault } = ports;
  const letters = deadLettersOf(table);
  const sites = sitesOf(table, clock);

  /** The lists that a moderator sees: one after the other in one cursor. */
  const listsFor = async (moderator: Moderator, site: string | undefined): Promise<readonly string[]> => {
    if (site !== undefined) mustBe(moderator, 'moderator', site);
    const names =
      site === undefined ? (await sites.list()).map(({ id }) => id).filter((id) => may(moderator, id)) : [site];
    return mayTouch(moderator, {}) ? [NO_SITE, ...names] : names;
  };

  const page = async (lists: readonly string[], limit: number, cursor: string | undefined) => {
    const [start, inner] = cursor === undefined ? [lists[0], ''] : splitCursor(cursor);
    const found: DeadLetter[] = [];
    for (let index = Math.max(0, lists.indexOf(start ?? '')); index < lists.length; index++) {
      const list = lists[index] ?? NO_SITE;
      const from = list === start && inner ? { cursor: inner } : {};
      const part = await letters.list(list, { limit: limit - found.length, ...from });
      found.push(...part.letters);
      if (part.cursor) return { found, next: `${list}:${part.cursor}` };
      const after = lists[index + 1];
      if (found.length >= limit) return { found, next: after === undefined ? undefined : `${after}:` };
    }
    return { found, next: undefined };
  };

  const redrive = async (letter: DeadLetter): Promise<void> => {
    const queue = queues[letter.source];
    if (!queue) {
      throw new SluiceError('Request.Invalid', `no queue "${letter.source}" takes this letter back`, {
        hint: 'its source is not a queue of this version',
      });
    }
    // Sent, then marked: a crash in between sends twice, which every step of the pipeline takes.
    await queue.send(messageOf(letter, vault), letter.group === undefined ? {} : { group: letter.group });
    await letters.markRedriven(letter, clock.now());
  };

  return [
    {
      method: 'GET',
      path: '/v1/moderation/dead-letters',
      summary: 'What could not be done, with its reason; admins also see letters of no known site',
      access: 'moderator',
      query: ListQuery,
      responses: { 200: { description: '{deadLetters, nextCursor}' } },
      async handle({ caller, query }) {
        const { site, limit, cursor }: z.infer<typeof ListQuery> = query;
        const { found, next } = await page(await listsFor(caller, site), limit, cursor);
        const now = clock.now();
        await Promise.all(found.map((letter) => letters.markSeen(letter, now)));
        return {
          status: 200,
          body: {
            deadLetters: found.map(({ id, site: of, commentId, source, reason, attempts, firstAt, detail }) => ({
              id,
              ...(of !== undefined && { site: of }),
              ...(commentId !== undefined && { commentId }),
              source,
              reason,
              attempts,
              firstAt,
              detail,
            })),
            nextCursor: next ?? null,
          },
        };
      },
    },
    {
      method: 'POST',
      path: '/v1/moderation/dead-letters/:id/redrive',
      summary: 'Sends one dead letter to its queue again',
      access: 'moderator',
      responses: { 200: { description: '{id, redriven: 1}' } },
      async handle({ caller, params }) {
        const letter = await letters.get(params.id ?? '');
        if (!letter || letter.redrivenAt !== undefined || !mayTouch(caller, letter)) {
          throw new SluiceError('Request.NotFound', 'there is no such dead letter', { hint: 'read the list again' });
        }
        await redrive(letter);
        const about = { site: letter.site ?? '*', by: `user:${caller.user}`, action: 'redrive', about: letter.id };
        await audit(ports, { ...about, reason: letter.reason });
        return { status: 200, body: { id: letter.id, redriven: 1 } };
      },
    },
    {
      method: 'POST',
      path: '/v1/moderation/dead-letters/redrive',
      summary: 'Sends every dead letter that one sees to its queue again',
      access: 'moderator',
      body: RedriveAll,
      responses: { 200: { description: '{redriven, failed: [{id, why}]}' } },
      async handle({ caller, body }) {
        const { site }: z.infer<typeof RedriveAll> = body;
        const lists = await listsFor(caller, site);
        const before = clock.now();
        const failed: { id: string; why: string }[] = [];
        let redriven = 0;
        for (const list of lists) {
          // A letter leaves the list as it is sent, so each round reads the first page behind what failed.
          let cursor: string | undefined;
          const seen = new Set<string>();
          while (redriven + failed.length < REDRIVE_AT_MOST) {
            const part = await letters.list(list, { limit: 100, ...(cursor && { cursor }) });
            const fresh = part.letters.filter((letter) => letter.firstAt <= before && !seen.has(letter.id));
            for (const letter of fresh) {
              seen.add(letter.id);
              try {
                await redrive(letter);
                redriven++;
              } catch (error) {
                failed.push({ id: letter.id, why: error instanceof Error ? error.message : String(error) });
              }
            }
            cursor = part.cursor;
            if (!cursor) break;
          }
        }
        if (redriven > 0) {
          const about = { site: site ?? '*', by: `user:${caller.user}`, action: 'redrive-all' };
          await audit(ports, { ...about, about: String(redriven) });
        }
        return { status: 200, body: { redriven, failed } };
      },
    },
  ];
}

function splitCursor(cursor: string): [string, string] {
  const colon = cursor.indexOf(':');
  return colon < 0 ? [NO_SITE, ''] : [cursor.slice(0, colon), cursor.slice(colon + 1)];
}

/** Those of no known site belong to admins, whatever site they look at. */
const mayTouch = (moderator: Moderator, letter: Pick<DeadLetter, 'site'>): boolean =>
  letter.site === undefined
    ? moderator.roles.some(({ role }) => role === 'admin')
    : may(moderator, letter.site, 'moderator');
