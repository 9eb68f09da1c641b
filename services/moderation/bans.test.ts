import { beforeEach, describe, expect, it } from 'vitest';
import { storeOf } from '../../shared/store/comments.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { appOf, signIn, type Caller } from './testing/call.ts';
import { addComment, addSite, memoryPorts, type Memory } from './testing/memory.ts';

const DAY_MS = 86_400_000;
const PATH = '/v1/moderation/bans';
let ports: Memory;
let mia: Caller;
let tom: Caller;
let admin: Caller;

beforeEach(async () => {
  ports = memoryPorts();
  await addSite(ports);
  const { call } = appOf(ports);
  mia = await signIn(ports, call, 'mia', [{ site: 'demo', role: 'moderator' }]);
  tom = await signIn(ports, call, 'tom', [{ site: 'demo', role: 'moderator' }]);
  admin = await signIn(ports, call, 'ann', [{ site: '*', role: 'admin' }]);
  await addComment(ports, { id: 'c1', author: { name: 'Ada', key: 'writer-1', network: 'net-1' } });
});

const ban = (who: Caller, more: object) =>
  who('POST', PATH, { site: 'demo', action: 'reject', reason: 'advertising', expiresAt: soon(), ...more });
const soon = () => ports.clock.now() + 7 * DAY_MS;
const listed = async () => ((await mia('GET', `${PATH}?site=demo`)).body as { bans: { id: string }[] }).bans;

describe('a ban', () => {
  it.each([
    ['writer', 'writer-1'],
    ['network', 'net-1'],
    ['text', 'print-c1'],
  ])('of a %s is made from a comment, and keeps no name', async (kind, value) => {
    expect(await ban(mia, { kind, comment: 'c1' })).toMatchObject({ status: 201, body: { kind, value, name: 'Ada' } });
    const { bans } = await sitesOf(ports.table, ports.clock).fresh('demo');
    expect(bans).toMatchObject([{ kind, value, by: 'mia', reason: 'advertising' }]);
    expect(JSON.stringify(bans)).not.toContain('Ada');
  });

  it('names nobody once the writer was forgotten', async () => {
    await ban(mia, { kind: 'writer', comment: 'c1' });
    const store = storeOf(ports.table, ports.clock);
    await store.changeLatest('c1', () => ({ set: { status: 'erased' }, by: 'forget', action: 'erase' }));
    expect(JSON.stringify(await listed())).not.toContain('Ada');
  });

  it('of a word or a host takes the word or the host', async () => {
    expect(await ban(mia, { kind: 'host', value: 'spam.example' })).toMatchObject({ status: 201 });
    expect(await ban(mia, { kind: 'word', value: 'casino' })).toMatchObject({ status: 201 });
    expect(await listed()).toMatchObject([{ value: 'casino' }, { value: 'spam.example' }]);
  });

  it.each([
    ['a writer without a comment', { kind: 'writer' }],
    ['a writer by a key that somebody made up', { kind: 'writer', value: 'writer-2' }],
    ['a comment of nowhere', { kind: 'network', comment: 'nothing' }],
    ['a host without one', { kind: 'host', comment: 'c1' }],
    ['a time that has passed', { kind: 'word', value: 'casino', expiresAt: 1 }],
    ['no reason', { kind: 'word', value: 'casino', reason: ' ' }],
  ])('is refused for %s', async (_what, more) => {
    expect((await ban(admin, more)).status).toBe(422);
    expect(await listed()).toEqual([]);
  });

  it('of the same thing again takes the place of the first', async () => {
    await ban(mia, { kind: 'word', value: 'casino' });
    await ban(tom, { kind: 'word', value: 'casino', action: 'hold' });
    expect(await listed()).toMatchObject([{ by: 'tom', action: 'hold' }]);
  });

  it('is refused where one record would hold no more', async () => {
    const reason = '說'.repeat(200);
    await sitesOf(ports.table, ports.clock).changeBans('demo', () =>
      Array.from({ length: 480 }, (_, n) => {
        return { id: `b${n}`, kind: 'word', value: `word ${n}`, action: 'hold', reason, by: 'ann', at: 0 };
      }),
    );
    expect((await ban(admin, { kind: 'word', value: 'casino', reason })).status).toBe(422);
    expect(await listed()).toHaveLength(480);
  });

  it('lasts a month by a moderator, and without end by an admin', async () => {
    const long = { kind: 'word', value: 'casino', expiresAt: ports.clock.now() + 31 * DAY_MS };
    expect((await ban(mia, long)).status).toBe(422);
    expect((await ban(mia, { ...long, expiresAt: undefined })).status).toBe(422);
    expect((await ban(admin, { ...long, expiresAt: undefined })).status).toBe(201);
  });

  it('is lifted by whoever made it, and by an admin', async () => {
    await ban(mia, { kind: 'word', value: 'casino' });
    await ban(mia, { kind: 'word', value: 'poker' });
    const [poker, casino] = await listed();
    expect((await tom('DELETE', `${PATH}/${poker?.id}?site=demo`)).status).toBe(403);
    expect((await mia('DELETE', `${PATH}/${poker?.id}?site=demo`)).status).toBe(204);
    expect((await admin('DELETE', `${PATH}/${casino?.id}?site=demo`)).status).toBe(204);
    expect((await admin('DELETE', `${PATH}/${casino?.id}?site=demo`)).status).toBe(404);
    expect(await listed()).toEqual([]);
  });

  it('is in the audit log with its reason, and without the name of whom it is about', async () => {
    await ban(mia, { kind: 'writer', comment: 'c1' });
    const { body } = await admin('GET', '/v1/moderation/audit?site=demo');
    expect(body).toMatchObject({ rows: [{ action: 'ban', by: 'user:mia', reason: 'advertising' }] });
    expect(JSON.stringify(body)).toContain('writer of c1: reject until ');
    expect(JSON.stringify(body)).not.toContain('Ada');
  });
});
