import { signNote, writerKeyOf } from '../../shared/door-note.ts';
import { COMMENTS_SOURCE } from '../../shared/events.ts';
import { Policy } from '../../shared/policy.ts';
import type { Ports } from '../../shared/ports.ts';
import { sitesOf } from '../../shared/store/sites.ts';

export const DEMO_SITE = 'demo';
export const DEMO_THREAD = 'how-a-comment-travels';
const AUTHOR = { id: 'mara', name: 'Mara Lindqvist' };

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** `[id, name or the author, hours ago, text, parent]`; one of them has four links, so that the desk is not empty. */
const COMMENTS: readonly [id: string, name: string, hoursAgo: number, body: string, parent?: string][] = [
  [
    'demo-01',
    'Jonas',
    71,
    'I moved my blog off a hosted widget last month and **the page got two seconds faster**. How heavy is this one?',
  ],
  [
    'demo-02',
    AUTHOR.id,
    70,
    'The script is under 9 KB compressed and sets no cookies. It asks for the thread once, then again only when the tag has changed.',
    'demo-01',
  ],
  ['demo-03', 'Jonas', 69.5, 'Good answer, thank you.', 'demo-02'],
  ['demo-04', 'Priya', 66, 'What happens to a comment when the server restarts in the middle of judging it?'],
  [
    'demo-05',
    AUTHOR.id,
    65,
    'Nothing is lost: the comment is a message on disk before you see "received". After a restart the message is simply delivered again, and every step knows how to be repeated.',
    'demo-04',
  ],
  [
    'demo-06',
    'Tomás',
    64,
    'I pulled the plug on mine twice to check. It came back with both comments, once each.',
    'demo-05',
  ],
  [
    'demo-07',
    'Ingrid',
    52,
    'My readers write in Norwegian and English, often in one sentence. Does the spam filter cope with that?',
  ],
  [
    'demo-08',
    AUTHOR.id,
    50,
    'It looks at the shape of a text as much as at its words, and when it is in doubt it holds the comment for a person instead of guessing.',
    'demo-07',
  ],
  ['demo-09', 'Wei', 41, 'A small thing, but I like that code works:\n\n```\nnpm ci && npm start\n```'],
  [
    'demo-10',
    'Amara',
    33,
    '> a person, instead of guessing\n\nThis. My last system threw away a regular reader for weeks and nobody noticed.',
    'demo-08',
  ],
  [
    'demo-11',
    'Luc',
    27,
    'Could the moderators see *why* something was held? With the old plugin I only ever saw a number.',
  ],
  [
    'demo-12',
    AUTHOR.id,
    26,
    'Every verdict is kept with its reasons and their weights, in words. You will find them beside each comment in the desk.',
    'demo-11',
  ],
  ['demo-13', 'Noor', 9, 'Is there a way to run it on AWS later without exporting everything by hand?'],
  [
    'demo-14',
    AUTHOR.id,
    8,
    'The same files describe both: on one machine they are interpreted, on AWS they become stacks. Export and import carry the comments over.',
    'demo-13',
  ],
  ['demo-15', 'Sofia', 2, 'Reading this with the stylesheet off and it is still a perfectly good page. Well done.'],
  [
    'demo-16',
    'Kenji',
    1,
    'Four write-ups on queues that I found useful: https://kenji.example/backoff https://kenji.example/visibility https://kenji.example/dead-letters https://kenji.example/order',
  ],
];

/** The site of a first start; true when it was made now. */
export async function ensureDemo(ports: Pick<Ports, 'table' | 'clock'>): Promise<boolean> {
  const sites = sitesOf(ports.table, ports.clock);
  if ((await sites.list()).length > 0) return false;
  await sites.put({
    id: DEMO_SITE,
    name: 'Demo',
    origins: [],
    threadParams: [],
    authors: [{ ...AUTHOR, notify: 'none' }],
    moderatorEmails: [],
  });
  await sites.putPolicy(DEMO_SITE, Policy.parse({}), 0, 'sluice');
  return true;
}

/** Fills the demo's thread by putting events, as any blog's back end would: the pipeline does the rest. */
export async function seedDemo({ bus, clock, vault, publicUrl }: Ports): Promise<void> {
  const now = clock.now();
  const page = { url: `${publicUrl}/`, title: 'How a comment travels' };
  for (const [id, who, hoursAgo, body, parentId] of COMMENTS) {
    const author = who === AUTHOR.id ? AUTHOR : undefined;
    const name = author?.name ?? who;
    await bus.put([
      {
        source: COMMENTS_SOURCE,
        type: 'CommentSubmitted',
        detail: {
          schema: 1,
          id,
          site: DEMO_SITE,
          thread: DEMO_THREAD,
          author: { name },
          body,
          page,
          submittedAt: new Date(now - hoursAgo * HOUR - 7 * MINUTE).toISOString(),
          ...(parentId && { parentId }),
          door: signNote(vault, id, {
            writer: author ? `author-${author.id}` : writerKeyOf(vault, DEMO_SITE, { name }),
            ...(author && { role: 'author' as const, authorId: author.id }),
          }),
        },
      },
    ]);
  }
}
