import { afterAll, beforeAll, expect, it } from 'vitest';
import { forgetComment } from '../services/import/forget.ts';
import { NEW_NAME_S, NAME_S, namesOf } from '../shared/store/names.ts';
import { memoryPorts } from './fakes.ts';
import { testInstance, type TestInstance } from './instance.ts';

let sluice: TestInstance;
beforeAll(async () => {
  sluice = await testInstance();
  const user = { name: 'barbara', password: 'a long passphrase', roles: [{ site: 'demo', role: 'moderator' }] };
  const added = await sluice.call('POST', '/v1/moderation/users', user, await sluice.asAdmin());
  expect(added.status).toBeLessThan(300);
});
afterAll(() => sluice.end());

const submit = (name: string, fields: object = {}, headers?: Record<string, string>) =>
  sluice.call(
    'POST',
    '/v1/sites/demo/threads/names/comments',
    { author: { name }, body: 'A remark.', ...fields },
    headers,
  );

it('a kept name is refused to others, also one that looks like it, and taken with its capability', async () => {
  const first = await submit('Paul', { keepName: true });
  expect(first.status).toBe(202);
  const { nameCapability } = first.body;
  for (const name of ['Paul', 'PAUI', 'pau1']) {
    const other = await submit(name);
    expect(other.status).toBe(422);
    expect(other.body.errors).toMatchObject([
      { pointer: '/author/name', detail: expect.stringContaining('keeps this name') },
    ]);
  }
  expect((await submit('Paul', { nameCapability: 'x'.repeat(32) })).status).toBe(422);
  const again = await submit('Paul', { nameCapability });
  expect(again.status).toBe(202);
  expect(again.body.nameCapability).toBeUndefined();
  expect((await submit('Paula')).status).toBe(202);
});

it('a repeat under one Idempotency-Key answers the same capability', async () => {
  const key = { 'idempotency-key': 'keep' };
  const first = await submit('Grace', { keepName: true }, key);
  const second = await submit('Grace', { keepName: true }, key);
  expect(second.body).toEqual(first.body);
  expect(second.body.nameCapability).toEqual(expect.any(String));
});

it('of two who ask for a name at once, one keeps it', async () => {
  const answers = await Promise.all([submit('Edsger', { keepName: true }), submit('Edsger', { keepName: true })]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 422]);
});

it('whoever is forgotten gives the name back', async () => {
  const first = await submit('Alan', { keepName: true });
  await sluice.quiet();
  expect((await submit('Alan')).status).toBe(422);
  await forgetComment(sluice.runtime.ports, first.body.id);
  expect((await submit('Alan')).status).toBe(202);
});

it('the name of a moderator of the site is refused', async () => {
  const refused = await submit('Barbara');
  expect(refused.body.errors).toMatchObject([{ detail: expect.stringContaining('author or moderator') }]);
});

it('a name is free again after 7 days, after 400 once its keeper is published, and no name stands in the table', async () => {
  const { table, vault, clock, wind } = memoryPorts();
  const names = namesOf(table, vault, clock);
  const ask = { site: 'demo', skeleton: 'ada', comment: 'one', known: false };
  const capability = await names.keep(ask, undefined);
  const isFree = async (own?: string) => names.isFree(await names.get('demo', 'ada'), 'demo', own);
  expect(await isFree()).toBe(false);
  expect(await isFree(capability)).toBe(true);
  wind((NEW_NAME_S - 1) * 1000);
  expect(await isFree()).toBe(false);
  expect(await names.keep({ ...ask, comment: 'two', known: true }, await names.get('demo', 'ada'))).toBe(capability);
  wind((NAME_S - 1) * 1000);
  expect(await isFree()).toBe(false);
  wind(1000);
  expect(await isFree()).toBe(true);
  expect(JSON.stringify([...table.items])).not.toContain('ada');
  expect(await names.keep({ ...ask, comment: 'three' }, await names.get('demo', 'ada'))).not.toBe(capability);
});

it('the API page names authors, privacy and the name capability', async () => {
  const { paths } = (await sluice.call('GET', '/v1/openapi.json')).body;
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining([
      '/privacy',
      '/v1/authors/links',
      '/v1/authors/sessions',
      '/v1/authors/tokens',
      '/v1/authors/revocations',
    ]),
  );
  expect(JSON.stringify(paths)).toContain('keepName');
});
