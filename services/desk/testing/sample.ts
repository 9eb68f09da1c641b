import type { Comment } from '../../../shared/comment.ts';
import { deadLettersOf } from '../../../shared/store/dead-letters.ts';
import { sitesOf } from '../../../shared/store/sites.ts';
import { addComment, addSite, memoryPorts, type Memory } from '../../moderation/testing/memory.ts';
import { addUser } from '../../moderation/users.ts';

export const PASSWORD = 'correct horse battery';

const TEXTS: readonly [name: string, body: string, score: number][] = [
  [
    'Ada',
    'The second listing has an off-by-one: the loop stops before the last lane. Otherwise this cleared up weeks of confusion for me.',
    0.31,
  ],
  [
    'crypto_king',
    'I made 4,000 dollars in one week from home, ask me how. Write to me on the messenger and change your life today!',
    0.93,
  ],
  [
    'Björn Åström',
    'Does this also hold when the queue is empty for an hour? We see a spike at the first message after a pause.',
    0.52,
  ],
  ['林小雨', '谢谢分享,我在生产环境里也遇到了同样的问题,按你的方法解决了。', 0.55],
  ['anna', 'See my notes at https://example.org/notes and https://example.net/slides for the numbers behind it.', 0.61],
  [
    'Olive',
    'You clearly have no idea what you are talking about. People like you should not be allowed near a keyboard.',
    0.44,
  ],
  [
    'M. Dubois',
    'Merci pour cet article. Une question cependant : pourquoi ne pas utiliser une file par site plutôt que par groupe ?',
    0.5,
  ],
  [
    'seo-expert',
    'Great post! I really like your blog. Visit our page for the best prices on replica watches and more.',
    0.89,
  ],
];

/** A desk with work on it. */
export async function sampleDesk(held = 24): Promise<Memory> {
  const ports = memoryPorts({ now: Date.now() });
  const { table, clock } = ports;
  await addSite(ports);
  await addSite(ports, 'garden.example');
  await sitesOf(table, clock).putThread({
    site: 'demo',
    key: '/posts/hello',
    title: 'Queues that do not lose your mail',
    url: 'https://blog.example/posts/hello',
  });
  await sitesOf(table, clock).putThread({
    site: 'demo',
    key: '/posts/sluice',
    title: 'How a sluice works',
    url: 'https://blog.example/posts/sluice',
  });
  await addUser(ports, { name: 'mia', password: PASSWORD, roles: [{ site: '*', role: 'admin' }] });
  await addUser(ports, { name: 'tom', password: PASSWORD, roles: [{ site: 'demo', role: 'moderator' }] });
  const now = clock.now();
  await addComment(ports, {
    id: 'parent',
    status: 'published',
    author: { name: 'Grace', key: 'grace' },
    body: 'How do you keep one noisy site from holding up the others?',
    submittedAt: now - 9e7,
  });
  for (let n = 0; n < held; n++) {
    const [name, body, score] = TEXTS[n % TEXTS.length] ?? ['Ada', 'Text', 0.5];
    const at = now - (held - n) * 1_740_000;
    const comment: Partial<Comment> & { id: string; body: string } = {
      id: `c${String(n).padStart(4, '0')}`,
      body,
      author: { name, key: `key-${name}` },
      thread: n % 3 === 0 ? '/posts/sluice' : '/posts/hello',
      submittedAt: at,
      heldAt: at,
      fingerprint: `print-${n % TEXTS.length}`,
      linkHosts: name === 'anna' ? ['example.org', 'example.net'] : [],
      ...(n % TEXTS.length === 2 && { parentId: 'parent', depth: 1 }),
      ...(n === 5 && { reports: 3 }),
      judgement: {
        verdict: 'hold',
        score,
        toxicity: name === 'Olive' ? 0.91 : 0.02,
        lang: 'en',
        signals: [
          ...(score > 0.8
            ? [
                {
                  name: 'words',
                  weight: 3.2,
                  words: 'Words that are nine times likelier in spam: “replica”, “visit our page”',
                },
              ]
            : []),
          ...(name === 'anna' ? [{ name: 'links', weight: 1.4, words: '2 links from a writer nobody knows' }] : []),
          ...(name === 'Olive' ? [{ name: 'toxicity', weight: 2.1, words: 'Speaks to a person with contempt' }] : []),
          { name: 'new-writer', weight: 0.6, words: 'First comment of this writer here' },
          { name: 'length', weight: -0.7, words: 'Longer than most spam' },
          { name: 'on-topic', weight: -1.1, words: 'Shares 7 words with the post' },
        ],
        reason: 'score',
        policyVersion: 3,
        modelVersion: '2026-11-01',
        executionId: `run-${n}`,
        revision: 1,
        at,
      },
    };
    await addComment(ports, comment);
  }
  await deadLettersOf(table).put({
    id: 'dl-1',
    site: 'demo',
    source: 'intake',
    reason: 'Comment.Malformed',
    attempts: 1,
    firstAt: now - 7_200_000,
    detail: 'body: expected string, received number',
    body: '{}',
  });
  await deadLettersOf(table).put({
    id: 'dl-2',
    source: 'notify',
    reason: 'Mail.Refused',
    attempts: 50,
    firstAt: now - 90_000_000,
    detail: '550 5.1.1 the mailbox does not exist',
    body: '{}',
  });
  return ports;
}

if (import.meta.main) {
  const { serveDesk } = await import('./serve.ts');
  const { url } = await serveDesk(await sampleDesk(Number(process.argv[3] ?? 24)), Number(process.argv[2] ?? 8899));
  process.stdout.write(`${url}/moderate/ (mia, tom: ${PASSWORD})\n`);
}
