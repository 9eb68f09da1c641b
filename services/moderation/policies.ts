import { z } from 'zod';
import { SluiceError } from '../../shared/errors.ts';
import type { Route } from '../../shared/http.ts';
import { Policy } from '../../shared/policy.ts';
import type { Ports } from '../../shared/ports.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { audit } from './audit-log.ts';
import { backtest } from './backtest.ts';
import { jobsOf } from './jobs.ts';
import { mustBe, type Moderator } from './moderator.ts';

const PutPolicy = z.strictObject({ policy: Policy });
const Draft = z.strictObject({ policy: Policy, last: z.int().min(1).max(10_000).default(1000) });

export function policyRoutes(ports: Ports): Route<Moderator>[] {
  const { table, clock } = ports;
  const sites = sitesOf(table, clock);
  const jobs = jobsOf(ports, 'backtest', (site, { policy, last }: z.infer<typeof Draft>, onProgress) =>
    backtest(ports, site, policy, last, onProgress),
  );
  const progressOf = (site: string) => `/v1/moderation/sites/${site}/policy/backtests`;

  return [
    {
      method: 'GET',
      path: '/v1/moderation/sites/:site/policy',
      summary: 'The policy of a site; its version is the ETag',
      access: 'moderator',
      responses: { 200: { description: '{policy, version, by, at}' } },
      async handle({ caller, params }) {
        mustBe(caller, 'moderator', params.site ?? '');
        const { policy } = await sites.fresh(params.site ?? '');
        return { status: 200, body: policy, headers: { etag: `"${policy.version}"` } };
      },
    },
    {
      method: 'PUT',
      path: '/v1/moderation/sites/:site/policy',
      summary: 'Saves a new version of the policy; If-Match names the version that it was made from',
      access: 'admin',
      body: PutPolicy,
      responses: { 200: { description: '{policy, version, by, at}' } },
      async handle({ caller, params, body, header }) {
        const site = params.site ?? '';
        mustBe(caller, 'admin', site);
        const { policy }: z.infer<typeof PutPolicy> = body;
        const { policy: current } = await sites.fresh(site);
        const match = /^(?:W\/)?"?(\d{1,12})"?$/.exec(header('if-match') ?? '')?.[1];
        if (match === undefined) {
          throw new SluiceError('Request.Precondition', 'If-Match is missing', {
            hint: `send If-Match: "${current.version}", the version that you changed`,
          });
        }
        checkOrder(policy);
        const saved =
          Number(match) === current.version
            ? await sites.putPolicy(site, policy, current.version, caller.user)
            : 'conflict';
        if (saved === 'conflict') {
          const { policy: newer } = await sites.fresh(site);
          throw new SluiceError('Request.Precondition', `version ${newer.version} by ${newer.by} is newer`, {
            hint: 'read the policy again and make your change on it',
          });
        }
        const about = { site, by: `user:${caller.user}`, action: 'policy' };
        await audit(ports, { ...about, about: `version ${saved.version}` });
        return { status: 200, body: saved, headers: { etag: `"${saved.version}"` } };
      },
    },
    {
      method: 'GET',
      path: '/v1/moderation/sites/:site/policy/versions',
      summary: 'Every saved version of the policy, newest first',
      access: 'moderator',
      responses: { 200: { description: '{versions: [{policy, version, by, at}]}' } },
      async handle({ caller, params }) {
        mustBe(caller, 'moderator', params.site ?? '');
        await sites.rules(params.site ?? '');
        return { status: 200, body: { versions: await sites.policyVersions(params.site ?? '') } };
      },
    },
    {
      method: 'POST',
      path: '/v1/moderation/sites/:site/policy/backtest',
      summary: 'What a draft would have decided of the last comments, beside what was decided',
      access: 'moderator',
      body: Draft,
      responses: { 200: { description: 'The result' }, 202: { description: '{progress, done, of}' } },
      async handle({ caller, params, body }) {
        const site = params.site ?? '';
        mustBe(caller, 'moderator', site);
        await sites.rules(site);
        const input: z.infer<typeof Draft> = body;
        checkOrder(input.policy);
        return jobs.start({ site, of: input.last, input, path: progressOf(site) });
      },
    },
    {
      method: 'GET',
      path: '/v1/moderation/sites/:site/policy/backtests/:job',
      summary: 'How far a backtest is, or its result',
      access: 'moderator',
      responses: { 200: { description: 'The result' }, 202: { description: '{progress, done, of}' } },
      async handle({ caller, params }) {
        mustBe(caller, 'moderator', params.site ?? '');
        const site = params.site ?? '';
        return jobs.progress(params.job ?? '', { site, path: progressOf(site) });
      },
    },
  ];
}

/** A policy whose parts fit one by one and not together. */
export function checkOrder(policy: Policy): void {
  if (policy.holdAt <= policy.rejectAt) return;
  throw new SluiceError('Request.Invalid', `holdAt ${policy.holdAt} lies above rejectAt ${policy.rejectAt}`, {
    hint: 'what is rejected is doubtful too: keep holdAt at or below rejectAt',
    fields: [{ pointer: '/policy/holdAt', detail: 'above rejectAt' }],
  });
}
