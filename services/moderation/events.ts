import { z } from 'zod';
import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { usersOf } from '../../shared/store/users.ts';
import type { Changes } from './changes.ts';
import { may, mustBe, type Moderator } from './moderator.ts';
import { userOf } from './sessions.ts';

const EventsQuery = z.strictObject({ after: z.string().max(80).optional(), site: z.string().max(63).optional() });

/** Sites whose newest held comment is told without one being named. */
const SITES = 20;
/** Changes within this go out together: a busy pipeline is one message, not a thousand. */
const GATHER_MS = 50;
/** How often it looks for what no push told (an import beside the server), and shows whatever stands between that the line is alive. */
const BEAT_MS = 5000;

/**
 * @param live whether this runtime can hold a connection open: server-sent events for who accepts them, JSON elsewhere
 */
export function eventRoutes(
  { table, clock, search, log }: Pick<Ports, 'table' | 'clock' | 'search' | 'log'>,
  changes: Changes,
  { live = false } = {},
): Route<Moderator>[] {
  const sites = sitesOf(table, clock);
  const users = usersOf(table, clock);

  /** What one moderator may know of what changed after a cursor. */
  const told = async (caller: Pick<Moderator, 'roles'>, after: string | undefined, site: string | undefined) => {
    const { changes: found, cursor, reset } = changes.since(after);
    const events = found.filter((change) => may(caller, change.site) && (!site || change.site === site));
    const names =
      site === undefined ? (await sites.list()).map(({ id }) => id).filter((id) => may(caller, id)) : [site];
    // Asked of the store itself: what the pipeline holds is seen whoever ran it.
    const held = await Promise.all(
      names.slice(0, SITES).map(async (name) => {
        const page = await search.comments({ site: name, status: 'held', sort: 'newest', limit: 1 });
        const total = page.total === undefined ? {} : { total: page.total };
        return [name, { newest: page.ids[0] ?? null, ...total }] as const;
      }),
    );
    return { events, cursor, reset, held: Object.fromEntries(held) };
  };

  /** Goes on until either side ends, or the session does. */
  const stream = (caller: Moderator, after: string | undefined, site: string | undefined) => {
    let cursor = after;
    let before = '';
    let end = () => {};
    return new ReadableStream<Uint8Array>({
      start(out) {
        let gathering: NodeJS.Timeout | undefined;
        let sending = Promise.resolve();
        const say = (text: string) => out.enqueue(new TextEncoder().encode(text));
        const send = async () => {
          gathering = undefined;
          const user = await userOf(users, caller.session);
          if (!user || (site !== undefined && !may(user, site))) return close();
          const news = await told(user, cursor, site);
          ({ cursor } = news);
          const { events, held, reset } = news;
          const now = JSON.stringify(held);
          if (events.length === 0 && !reset && now === before) return say(':\n\n');
          before = now;
          return say(`id: ${news.cursor}\ndata: ${JSON.stringify(news)}\n\n`);
        };
        const inTurn = () => {
          sending = sending.then(send).catch((error: unknown) => {
            log.debug({ err: error }, 'the desk’s feed ended');
            close();
          });
        };
        const stop = changes.subscribe((change) => {
          if (!change) close();
          else if (may(caller, change.site)) gathering ??= setTimeout(inTurn, GATHER_MS);
        });
        const beat = setInterval(inTurn, BEAT_MS);
        end = () => {
          stop();
          clearInterval(beat);
          clearTimeout(gathering);
        };
        const close = () => {
          end();
          try {
            out.close();
          } catch {
            // The other side was faster.
          }
        };
        say('retry: 1000\n\n');
        inTurn();
      },
      cancel: () => end(),
    });
  };

  return [
    {
      method: 'GET',
      path: '/v1/moderation/events',
      summary:
        'What changed at the desk since a cursor, and what waits newest; `reset` asks to read the list again. Server-sent events for who accepts them, where the runtime can',
      access: 'moderator',
      query: EventsQuery,
      responses: {
        200: {
          description: '{events, cursor, reset, held: {site: {newest, total?}}, live}; live: ask for text/event-stream',
        },
      },
      async handle({ caller, query, header }) {
        const { after, site }: z.infer<typeof EventsQuery> = query;
        if (site !== undefined) mustBe(caller, 'moderator', site);
        const cursor = header('last-event-id')?.slice(0, 80) ?? after;
        if (live && header('accept')?.includes('text/event-stream')) {
          return {
            status: 200,
            stream: { type: 'text/event-stream', body: stream(caller, cursor, site) },
            headers: { 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
          };
        }
        return { status: 200, body: { ...(await told(caller, cursor, site)), live } };
      },
    },
  ];
}
