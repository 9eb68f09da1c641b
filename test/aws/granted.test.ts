import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXTRA } from '../../infra/aws/extra.ts';
import { deskApp } from '../../infra/aws/http/desk-app.ts';
import { healthRoute } from '../../infra/aws/http/health.ts';
import { door } from '../../infra/aws/http/door.ts';
import { links } from '../../infra/aws/http/links.ts';
import { moderation } from '../../infra/aws/http/moderation.ts';
import { rules } from '../../infra/aws/http/rules.ts';
import type { WebApp } from '../../infra/aws/http-entry.ts';
import { mailToken } from '../../services/deliver/mail-links.ts';
import { settingsRoutes } from '../../services/moderation/settings-routes.ts';
import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import { deadLettersOf } from '../../shared/store/dead-letters.ts';
import { testInstance, type TestInstance } from '../instance.ts';

let local: TestInstance;
let apps: Record<'door' | 'links' | 'moderation' | 'rules' | 'settings', WebApp>;
let admin: Record<string, string>;
/** What a function asked of a port that it was not given. */
const refused: string[] = [];
beforeAll(async () => {
  local = await testInstance();
  await local.quiet();
  admin = await local.asAdmin();
  const { ports } = local.runtime;
  const some = granted('settings', ports);
  apps = {
    door: door(granted('door', ports)),
    links: links(granted('links', ports)),
    moderation: moderation(granted('moderation', ports)),
    rules: rules(granted('rules', ports)),
    settings: deskApp([healthRoute(some), ...settingsRoutes(some)], some),
  };
});
afterAll(() => local.end());

/** The ports that IAM leaves a function; to ask more of them is noted, and refused. */
function granted(name: keyof typeof EXTRA, ports: Ports): Ports {
  const { may, looksAtQueues } = EXTRA[name]!;
  const only = <T extends object>(port: T, allowed: (method: string) => boolean, what: string): T =>
    new Proxy(port, {
      get(target, property) {
        if (typeof property !== 'string' || allowed(property)) return Reflect.get(target, property);
        refused.push(`${name}: ${what}.${property}`);
        throw new Error(`${name} may not ${what}.${property}`);
      },
    });
  const workflow = (method: string) => (method === 'start' ? may.start !== undefined : may.answer !== undefined);
  return {
    ...ports,
    bus: only(ports.bus, () => may.putEvents === true, 'bus'),
    workflows: only(ports.workflows, workflow, 'workflows'),
    vault: only(ports.vault, () => may.secret === true, 'vault'),
    mail: only(ports.mail, () => may.mail === true, 'mail'),
    queues: Object.fromEntries(
      Object.entries(ports.queues).map(([queue, port]) => [
        queue,
        only(
          port,
          (method) =>
            (method === 'send' && may.send?.includes(queue) === true) ||
            (['attributes', 'oldestAt'].includes(method) && !!looksAtQueues),
          `queues.${queue}`,
        ),
      ]),
    ),
  };
}

async function call(app: keyof typeof apps, method: string, path: string, body?: object, headers: object = admin) {
  const answer = await apps[app](
    new Request(new URL(path, local.publicUrl), {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body && { body: JSON.stringify(body) }),
    }),
    '198.51.100.7',
  );
  const text = await answer.text();
  // oxlint-disable-next-line typescript/no-explicit-any
  const read = (answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text) as any;
  return { status: answer.status, headers: answer.headers, body: read };
}

const LINKS = ['a', 'b', 'c', 'd'].map((word) => `https://kim.example/${word}`).join(' ');
const thread = '/v1/sites/demo/threads/granted/comments';
const submit = async (body: string) => (await call('door', 'POST', thread, { author: { name: 'Kim' }, body }, {})).body;
const store = () => storeOf(local.runtime.ports.table, local.runtime.ports.clock);
const decide = async (id: string, action: string) => {
  const { version } = await store().mustGet(id);
  const { body } = await call('moderation', 'POST', '/v1/moderation/decisions', {
    decisions: [{ id, version, action, ...(action === 'reject' && { reason: 'other' }) }],
  });
  return body.results[0];
};

describe('a function has what its work asks for', () => {
  it('the door: submit, edit, delete, report, preview, feeds', async () => {
    const plain = await submit('A plain remark about the weather of that week.');
    await local.quiet();
    const own = { authorization: `Bearer ${plain.capability}` };
    const path = `/v1/comments/${plain.id}`;
    expect((await call('door', 'PATCH', path, { body: 'A plain remark, mended.' }, own)).status).toBe(202);
    expect((await call('door', 'POST', `${path}/reports`, { reason: 'abuse' }, {})).status).toBe(202);
    expect((await call('door', 'DELETE', path, undefined, own)).status).toBe(202);
    expect((await call('door', 'POST', '/v1/sites/demo/preview', { body: '*a*' }, {})).status).toBe(200);
    expect((await call('door', 'GET', thread, undefined, {})).status).toBe(200);
    expect((await call('door', 'GET', '/v1/sites/demo/feed.atom', undefined, {})).status).toBe(200);
    expect((await call('settings', 'GET', '/health', undefined, {})).status).toBe(200);
    const email = { site: 'demo', email: 'mara@blog.example' };
    expect((await call('links', 'POST', '/v1/authors/links', email, {})).status).toBeLessThan(300);
  });

  it('links: a person is mailed one, takes their data, and has it erased', async () => {
    const post = (path: string, form: string) =>
      apps.links(new Request(new URL(path, local.publicUrl), { method: 'POST', body: form }), '198.51.100.7');
    const email = 'kim@people.example';
    expect((await post('/v1/mail/persons', `email=${encodeURIComponent(email)}&site=demo`)).status).toBe(202);
    const { table, vault, clock } = local.runtime.ports;
    const contacts = contactsOf(table, vault, clock);
    const contact = await contacts.exchange({ email });
    const until = clock.now() + 60_000;
    const token = mailToken(vault, { kind: 'person', address: contacts.hashOf(email), contact, site: 'demo', until });
    const path = `/v1/mail/persons/${token}`;
    expect(await (await post(path, 'choice=export')).json()).toMatchObject({ email, site: 'demo' });
    expect((await post(path, 'choice=forget&sure=yes')).status).toBe(200);
  });

  it('the desk: decisions, undo, appeal, replies, notes, sweeps', async () => {
    const held = await submit(`Four write-ups on queues that I found useful: ${LINKS}`);
    await local.quiet();
    const rejected = await decide(held.id, 'reject');
    expect(rejected).toMatchObject({ result: 'done', status: 'rejected' });
    const undone = await call('moderation', 'POST', `/v1/moderation/decisions/${rejected.decisionId}/undo`);
    expect(undone).toMatchObject({ status: 200 });
    expect((await decide(held.id, 'reject')).result).toBe('done');
    const own = { authorization: `Bearer ${held.capability}` };
    const appealed = await call(
      'door',
      'POST',
      `/v1/comments/${held.id}/appeal`,
      { text: 'All of them are mine.' },
      own,
    );
    expect(appealed).toMatchObject({ status: 202, body: { status: 'waiting' } });
    for (const action of ['publish', 'hold', 'publish', 'remove', 'restore']) {
      expect(await decide(held.id, action)).toMatchObject({ result: 'done' });
    }
    const path = `/v1/moderation/comments/${held.id}`;
    expect((await call('moderation', 'GET', path)).status).toBe(200);
    expect((await call('moderation', 'POST', `${path}/replies`, { body: 'Thank you.' })).status).toBeLessThan(300);
    expect((await call('moderation', 'POST', `${path}/notes`, { text: 'A regular.' })).status).toBeLessThan(300);
    expect((await call('moderation', 'GET', '/v1/moderation/events')).status).toBe(200);

    await submit(`Four more of them, for the next week: ${LINKS}`);
    await local.quiet();
    const query = { site: 'demo', status: 'held', thread: 'granted' };
    const sweep = await call('moderation', 'POST', '/v1/moderation/sweeps', {
      query,
      action: 'reject',
      reason: 'other',
      expectTotal: 1,
    });
    expect(sweep.status).toBeLessThan(300);
    const since = new Date(Date.now() - 3_600_000).toISOString();
    const all = await call('moderation', 'POST', '/v1/moderation/users/admin/undo', { site: 'demo', since });
    expect(all.status).toBeLessThan(500);
  });

  it('rules and operations: policy, shadow, backtest, bans, sites, webhooks, dead letters', async () => {
    const policy = await call('rules', 'GET', '/v1/moderation/sites/demo/policy');
    const draft = { policy: policy.body.policy };
    const at = '/v1/moderation/sites/demo/policy';
    const put = await call('rules', 'PUT', at, draft, { ...admin, 'if-match': policy.headers.get('etag') ?? '' });
    expect(put.status).toBe(200);
    expect((await call('rules', 'POST', `${at}/backtest`, draft)).status).toBeLessThan(300);
    expect((await call('rules', 'PUT', `${at}/shadow`, draft)).status).toBeLessThan(300);
    expect((await call('rules', 'GET', `${at}/shadow`)).status).toBe(200);
    expect((await call('rules', 'GET', '/v1/moderation/sites/demo/offers')).status).toBe(200);
    const ban = { site: 'demo', kind: 'word', value: 'casino', action: 'hold', reason: 'spam of the week' };
    expect((await call('rules', 'POST', '/v1/moderation/bans', ban)).status).toBeLessThan(300);
    const site = { id: 'other', name: 'Other', origins: ['https://other.example'] };
    expect((await call('settings', 'POST', '/v1/moderation/sites', site)).status).toBeLessThan(300);
    const hook = await call('settings', 'POST', '/v1/moderation/sites/demo/webhooks', {
      url: 'https://hooks.example/a',
    });
    expect(hook.status).toBe(201);
    const hookPath = `/v1/moderation/sites/demo/webhooks/${hook.body.id ?? hook.body.webhook?.id}`;
    expect((await call('settings', 'POST', `${hookPath}/test`)).status).toBeLessThan(300);
    for (const path of ['stats?site=demo&days=7', 'audit?site=demo', 'queues', 'views', 'threads?site=demo']) {
      const { status } = await call('settings', 'GET', `/v1/moderation/${path}`);
      expect({ path, status }).toEqual({ path, status: 200 });
    }
    await deadLettersOf(local.runtime.ports.table).put({
      id: 'letter',
      site: 'demo',
      source: 'notify',
      reason: 'Queue.MaxReceives',
      attempts: 1,
      firstAt: Date.now(),
      detail: 'for this test',
      body: '{}',
    });
    const redriven = await call('settings', 'POST', '/v1/moderation/dead-letters/letter/redrive');
    expect(redriven).toMatchObject({ status: 200, body: { redriven: 1 } });
  });

  it('and nothing of that asked for more', () => {
    expect(refused).toEqual([]);
  });
});
