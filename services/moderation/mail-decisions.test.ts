import { beforeEach, describe, expect, it } from 'vitest';
import { serve } from '../../shared/http.ts';
import { memoryPorts, type MemoryPorts } from '../../test/fakes.ts';
import { storyOf } from '../../test/stories.ts';
import { deliver } from '../deliver/handler.ts';
import { remind } from '../remind/handler.ts';
import { changesOf } from './changes.ts';
import { decide } from './decide.ts';
import { mailDecisionRoutes } from './mail-decisions.ts';
import { NOBODY } from './moderator.ts';

const DAY = 86_400_000;

let ports: MemoryPorts;
let story: ReturnType<typeof storyOf>;
let fetch: (path: string, action?: string) => Promise<{ status: number; text: string }>;
let id: string;
/** The link of the mail to publish. */
let link: string;

beforeEach(async () => {
  ports = memoryPorts();
  story = storyOf(ports);
  const app = serve(mailDecisionRoutes(ports, changesOf(ports.clock)), {
    authenticate: async () => NOBODY,
    log: ports.log,
  });
  fetch = async (path, action) => {
    const answer = await app.request(
      path,
      action === undefined
        ? {}
        : {
            method: 'POST',
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: `action=${action}`,
          },
    );
    return { status: answer.status, text: await answer.text() };
  };
  await story.site({ moderatorEmails: ['mo@blog.example'] });
  const held = {
    status: 'held',
    publishedRevision: null,
    heldAt: ports.clock.now(),
    heldVersion: 1,
    version: 1,
  } as const;
  ({ id } = await story.comment(held, { body: 'Buy <b>this</b>' }));
  await remind(ports)({ id, version: 1 });
  await ports.pump('notify', deliver(ports));
  link = linkIn('publish');
});

const linkIn = (what: string) =>
  new RegExp(`https?://[^/\\s]+(/v1/moderation/mail/\\S+\\?do=${what})`).exec(ports.mails[0]?.text ?? '')?.[1] ?? '';

describe('a link in the moderators’ digest', () => {
  it('shows the comment and asks; reading it decides nothing', async () => {
    const { status, text } = await fetch(link);
    expect(status).toBe(200);
    expect(text).toContain('Publish?');
    expect(text).toContain('Buy &lt;b&gt;this&lt;/b&gt;');
    expect((await story.store.get(id))?.status).toBe('held');
    expect((await fetch(linkIn('spam'))).text).toContain('Mark as spam?');
  });

  it('decides when it is confirmed, under the name of whom it was sent to, and twice is once', async () => {
    for (let click = 0; click < 2; click++) {
      const { status, text } = await fetch(link, 'publish');
      expect(status).toBe(200);
      expect(text).toContain('Done: published');
    }
    expect(await story.store.get(id)).toMatchObject({
      status: 'published',
      decidedBy: 'user:mo@blog.example',
      version: 2,
    });
  });

  it('says what happened since, and decides nothing', async () => {
    await decide(ports, 'tom', { id, version: 1, action: 'spam' });
    for (const { status, text } of [await fetch(link), await fetch(link, 'publish')]) {
      expect(status).toBe(409);
      expect(text).toContain('It is spam by now, by tom');
    }
    expect((await story.store.get(id))?.status).toBe('spam');
  });

  it('ends after a week', async () => {
    ports.wind(7 * DAY);
    expect((await fetch(link, 'publish')).status).toBe(404);
    expect((await story.store.get(id))?.status).toBe('held');
  });

  it('ends with the right to moderate', async () => {
    await story.site({ moderatorEmails: ['ann@blog.example'] });
    ports.wind(6000);
    expect((await fetch(link, 'publish')).status).toBe(404);
    expect((await story.store.get(id))?.status).toBe('held');
  });

  it.each(['hold', 'remove', ''])('takes no other action: %j', async (action) => {
    expect((await fetch(link, action)).status).toBe(422);
  });

  it('is refused when a letter of it changed', async () => {
    const token = link.split('/').at(-1) ?? '';
    expect((await fetch(link.replace(token, `X${token.slice(1)}`), 'publish')).status).toBe(404);
  });
});
