import { expect, it } from 'vitest';
import { testInstance } from './instance.ts';

const WORDS = 'the name leads to a private, local or reserved address';

it('tells a webhook of a published comment through the bus and its queue, and leaves the private network alone', async () => {
  const sluice = await testInstance();
  try {
    const admin = await sluice.asAdmin();
    const path = '/v1/moderation/sites/demo/webhooks';
    const comment = { author: { name: 'Jonas' }, body: 'Thank you, that fixed it.' };
    const submit = () => sluice.call('POST', '/v1/sites/demo/threads/hooked/comments', comment);
    const sent = async () => {
      const { depth, inFlight, delayed } = await sluice.runtime.queues.webhooks!.attributes();
      return depth + inFlight + delayed;
    };
    /** How the newest delivery went, once there are more failures than that. */
    const last = async (failures = 0): Promise<unknown> => {
      for (let look = 0; look < 250; look++) {
        const found = (await sluice.call('GET', path, undefined, admin)).body.webhooks[0].last;
        if ((found?.failures ?? 0) > failures) return found;
        await new Promise((done) => setTimeout(done, 20));
      }
      return undefined;
    };
    await submit();
    await sluice.quiet();
    expect(await sent()).toBe(0);

    const made = await sluice.call('POST', path, { url: 'https://localhost/in' }, admin);
    expect(made.status).toBe(201);
    const test = await sluice.call('POST', `${path}/${made.body.id}/test`, undefined, admin);
    expect(test.status).toBe(202);
    expect(await last()).toMatchObject({ ok: false, words: WORDS, failures: 1 });
    expect(await sent()).toBe(0);

    // Where events are put, the wish of a site is remembered for 5 s.
    await new Promise((done) => setTimeout(done, 5100));
    expect((await submit()).status).toBe(202);
    await sluice.quiet();
    expect(await last(1)).toMatchObject({ ok: false, words: WORDS, failures: 2 });
    // The retry is there before what it came from has left.
    await expect.poll(sent).toBe(1);
  } finally {
    await sluice.end();
  }
});
