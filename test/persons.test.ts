import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { testInstance } from './instance.ts';

it('forgets a person beside the running server, and gives them all before', async () => {
  const sluice = await testInstance();
  try {
    const admin = await sluice.asAdmin();
    const path = '/v1/sites/demo/threads/persons/comments';
    const mine = {
      author: { name: 'Ada Quokka', email: 'ada@people.example' },
      body: 'My unmistakable wombatsentence.',
    };
    const { body: sent } = await sluice.call('POST', path, mine);
    await sluice.call('POST', path, { author: { name: 'Bob' }, body: 'Somebody else.' });
    await sluice.quiet();
    await sluice.call('GET', '/v1/moderation/comments?q=wombatsentence', undefined, admin);

    const ask = (what: string, body: object) => sluice.call('POST', `/v1/moderation/persons/${what}`, body, admin);
    const all = await ask('export', { email: 'ADA@people.example' });
    expect(JSON.stringify(all.body)).toContain('wombatsentence');
    expect(JSON.stringify(all.body)).toContain('ada@people.example');
    expect(JSON.stringify(all.body)).not.toContain('Somebody else');

    const asked = await ask('forget', { email: 'ada@people.example', dryRun: true });
    expect(asked.body).toMatchObject({ comments: 1, dryRun: true });
    expect((await sluice.call('GET', path)).body.total).toBe(2);

    // The server works on while somebody is forgotten.
    const others = Array.from({ length: 20 }, (_, n) =>
      sluice.call('POST', path, { author: { name: `Reader ${n}` }, body: `Meanwhile ${n}.` }),
    );
    expect((await ask('forget', { email: 'ada@people.example' })).body).toMatchObject({ comments: 1, sites: ['demo'] });
    for (const { status } of await Promise.all(others)) expect(status).toBe(202);
    await sluice.quiet();
    expect((await sluice.call('GET', `/v1/comments/${sent.id}/status?token=x`)).status).toBeGreaterThanOrEqual(400);
    const { body: found } = await sluice.call('GET', '/v1/moderation/comments?q=wombatsentence', undefined, admin);
    expect(found.comments).toEqual([]);
    // Nobody wrote it any more, so that nobody's other comments stand beside it.
    expect((await sluice.call('GET', `/v1/moderation/comments/${sent.id}`, undefined, admin)).body).toMatchObject({
      status: 'erased',
      history: [],
    });
    const { body: log } = await sluice.call('GET', '/v1/moderation/audit?site=*', undefined, admin);
    expect(JSON.stringify(log)).toContain('person-forgotten');
    expect(JSON.stringify(log)).not.toMatch(/ada@|Quokka/i);
    await sluice.stop();
    for (const name of readdirSync(sluice.folder).filter((file) => file.endsWith('.db'))) {
      expect(readFileSync(join(sluice.folder, name)).includes('people.example')).toBe(false);
    }
  } finally {
    await sluice.end().catch(() => undefined);
  }
});
