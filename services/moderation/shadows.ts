import { z } from 'zod';
import { SluiceError } from '../../shared/errors.ts';
import type { Route } from '../../shared/http.ts';
import { Policy } from '../../shared/policy.ts';
import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { readShadow } from '../spam-check/shadow.ts';
import { audit } from './audit-log.ts';
import { against, exampleOf, type Backtest } from './backtest.ts';
import { checkOrder } from './policies.ts';
import { mustBe, type Moderator } from './moderator.ts';

const PutShadow = z.strictObject({ policy: Policy });

/** Differing comments that the report lists. */
const LISTED = 100;

/** A draft that runs beside the live policy, and what it would have changed so far. */
export type ShadowReport = Pick<Backtest, 'comments' | 'changed' | 'changes' | 'people' | 'examples'> & {
  policy: Policy;
  by: string;
  at: number;
};

/** A draft that judges each new comment beside the live policy, and decides nothing. */
export function shadowRoutes(ports: Ports): Route<Moderator>[] {
  const { table, clock, ids } = ports;
  const sites = sitesOf(table, clock);
  const store = storeOf(table, clock);
  const path = '/v1/moderation/sites/:site/policy/shadow';

  const report = async (site: string): Promise<ShadowReport | undefined> => {
    const { shadow } = await sites.fresh(site);
    if (!shadow) return undefined;
    const { comments, pairs, differing } = await readShadow(table, site, shadow.id, LISTED);
    const changes = Object.fromEntries(
      Object.entries(pairs).filter(([pair]) => pair.split('>')[0] !== pair.split('>')[1]),
    );
    const heads = await store.getMany(differing.map(({ commentId }) => commentId));
    const people = { decided: 0, liveWrong: 0, draftWrong: 0, liveHeld: 0, draftHeld: 0 };
    const examples = differing.flatMap(({ was, would }, index) => {
      const head = heads[index];
      if (!head) return [];
      against(people, head, was, would);
      return [exampleOf(head, was, would)];
    });
    const changed = Object.values(changes).reduce((sum, count) => sum + count, 0);
    return { policy: shadow.policy, by: shadow.by, at: shadow.at, comments, changed, changes, people, examples };
  };
  const mustReport = async (site: string): Promise<ShadowReport> => {
    const found = await report(site);
    if (found) return found;
    throw new SluiceError('Request.NotFound', `no draft runs beside the policy of ${site}`, { hint: 'put one' });
  };
  const tell = (caller: Moderator, site: string, action: string) =>
    audit(ports, { site, by: `user:${caller.user}`, action });

  return [
    {
      method: 'GET',
      path,
      summary: 'The draft that runs beside the policy, and what it would have changed',
      access: 'moderator',
      responses: {
        200: { description: '{policy, by, at, comments, changed, changes, people, examples}' },
        404: { description: 'No draft runs' },
      },
      async handle({ caller, params }) {
        const site = params.site ?? '';
        mustBe(caller, 'moderator', site);
        return { status: 200, body: await mustReport(site) };
      },
    },
    {
      method: 'PUT',
      path,
      summary: 'Lets a draft judge each new comment beside the live policy; its counts begin anew',
      access: 'admin',
      body: PutShadow,
      responses: { 200: { description: 'The report, still empty' } },
      async handle({ caller, params, body }) {
        const site = params.site ?? '';
        mustBe(caller, 'admin', site);
        const { policy }: z.infer<typeof PutShadow> = body;
        checkOrder(policy);
        await sites.rules(site);
        await sites.putShadow(site, { id: ids.next(), policy, by: caller.user, at: clock.now() });
        await tell(caller, site, 'shadow');
        return { status: 200, body: await mustReport(site) };
      },
    },
    {
      method: 'DELETE',
      path,
      summary: 'Ends the draft',
      access: 'admin',
      responses: { 204: { description: 'Ended, or there was none' } },
      async handle({ caller, params }) {
        const site = params.site ?? '';
        mustBe(caller, 'admin', site);
        await sites.putShadow(site, undefined);
        await tell(caller, site, 'shadow-ended');
        return { status: 204 };
      },
    },
  ];
}
