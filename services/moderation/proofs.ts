import { z } from 'zod';
import { SluiceError } from '../../shared/errors.ts';
import type { Reply, Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { unlearnPerson } from '../spam-check/lesson.ts';
import { lessonsOf } from '../spam-check/lessons.ts';
import { audit } from './audit-log.ts';
import { jobsOf } from './jobs.ts';
import { mustBe, type Moderator } from './moderator.ts';
import { exhibitsOf, IMPORT, named, prove, taughtBy, teaching, type Exhibit, type Proof } from './proof.ts';

const Wanted = z.strictObject({ last: z.int().min(10).max(10_000).default(2000) });

/** An import as proof: what Sluice would have done with it, and its verdicts as training. */
export function proofRoutes(ports: Ports): Route<Moderator>[] {
  const { table, clock } = ports;
  const sites = sitesOf(table, clock);
  const lessons = lessonsOf(table, clock);
  const progressOf = (site: string) => `/v1/moderation/sites/${site}/proofs`;
  const tell = (caller: Moderator, site: string, action: string, about: string) =>
    audit(ports, { site, by: `user:${caller.user}`, action, about });

  const mustFind = async (site: string, last: number) => {
    const exhibits = await exhibitsOf(ports, site, last);
    if (exhibits.length > 1) return exhibits;
    throw new SluiceError('Request.Invalid', `${site} has no imported comments that were published or refused`, {
      hint: 'import some: sluice import FILE',
    });
  };

  /** What was read to answer that there is something is not read again. */
  const read = new WeakMap<z.infer<typeof Wanted>, Exhibit[]>();

  const jobs = jobsOf(ports, 'proof', async (site, input: z.infer<typeof Wanted>, onProgress) => {
    const exhibits = read.get(input) ?? (await mustFind(site, input.last));
    return prove(exhibits, (await sites.rules(site)).policy.policy, await lessons.of(site), onProgress);
  });

  const withNames = async (reply: Reply): Promise<Reply> =>
    reply.status === 200 ? { ...reply, body: await named(ports, reply.body as Proof) } : reply;

  return [
    {
      method: 'POST',
      path: '/v1/moderation/sites/:site/proof',
      summary: 'What Sluice would have done with the newest imported comments, against the verdicts in the file',
      access: 'moderator',
      body: Wanted,
      responses: { 200: { description: 'The result' }, 202: { description: '{progress, done, of}' } },
      async handle({ caller, params, body }) {
        const site = params.site ?? '';
        mustBe(caller, 'moderator', site);
        await sites.rules(site);
        const input: z.infer<typeof Wanted> = body;
        const exhibits = await mustFind(site, input.last);
        read.set(input, exhibits);
        return withNames(await jobs.start({ site, of: exhibits.length, input, path: progressOf(site) }));
      },
    },
    {
      method: 'GET',
      path: '/v1/moderation/sites/:site/proofs/:job',
      summary: 'How far a proof is, or its result',
      access: 'moderator',
      responses: { 200: { description: 'The result' }, 202: { description: '{progress, done, of}' } },
      async handle({ caller, params }) {
        const site = params.site ?? '';
        mustBe(caller, 'moderator', site);
        return withNames(await jobs.progress(params.job ?? '', { site, path: progressOf(site) }));
      },
    },
    {
      method: 'POST',
      path: '/v1/moderation/sites/:site/proof/lessons',
      summary: "Accepts the verdicts of the file's earlier part as training, those that the proof was taught by",
      access: 'admin',
      body: Wanted,
      responses: { 200: { description: '{trainedOn, lessons}' } },
      async handle({ caller, params, body }) {
        const site = params.site ?? '';
        mustBe(caller, 'admin', site);
        await sites.rules(site);
        const { last }: z.infer<typeof Wanted> = body;
        const early = teaching(await mustFind(site, last));
        let taught = 0;
        await lessons.change(site, async (weights) => {
          const after = await taughtBy(weights, early);
          taught = after.lessons;
          return after.weights;
        });
        await tell(caller, site, 'import-learned', `${early.length} comments`);
        return { status: 200, body: { trainedOn: early.length, lessons: taught } };
      },
    },
    {
      method: 'DELETE',
      path: '/v1/moderation/sites/:site/proof/lessons',
      summary: 'Takes back what imports taught',
      access: 'admin',
      responses: { 204: { description: 'Taken back' } },
      async handle({ caller, params }) {
        const site = params.site ?? '';
        mustBe(caller, 'admin', site);
        await lessons.change(site, (weights) => unlearnPerson(weights, IMPORT));
        await tell(caller, site, 'import-unlearned', site);
        return { status: 204 };
      },
    },
  ];
}
