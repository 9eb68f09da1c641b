import { pino } from 'pino';
import { serviceOf } from '../../infra/local/functions.ts';
import { openDatabase, type Database } from '../../infra/local/database.ts';
import { localRuntime } from '../../infra/local/runtime.ts';
import { topology } from '../../infra/topology.ts';
import { decide, type Decision, type Result } from '../../services/moderation/decide.ts';
import type { BusEvent } from '../../shared/events.ts';
import { Policy } from '../../shared/policy.ts';
import type { Ports, Service } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { deadLettersOf, NO_SITE, type DeadLetter } from '../../shared/store/dead-letters.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { vaultOf } from '../../shared/vault.ts';
import { woundClock } from '../contracts/rigs.ts';

export const LINKS =
  'Four write-ups on queues that I found useful: https://kim.example/backoff https://kim.example/order https://kim.example/delay https://kim.example/retry';

type Execution = { name: string; status: string; error: string | null };

/** Stops a function, or whatever calls `reached`, at a point that a test names, until it lets it go on. */
export function gate(): { reached: Promise<void>; arrive(): Promise<void>; open(): void } {
  let open = () => {};
  let told = () => {};
  const opened = new Promise<void>((done) => {
    open = done;
  });
  const reached = new Promise<void>((done) => {
    told = done;
  });
  return {
    reached,
    arrive() {
      told();
      return opened;
    },
    open: () => open(),
  };
}

/** Makes the commit of the open group fail, as a full disk would: by a promise that is looked at when it commits. */
export function loseGroup({ sqlite, inOrder, flush }: Database): void {
  void inOrder.write(() =>
    sqlite.exec(`CREATE TABLE debtor (id INTEGER PRIMARY KEY);
      CREATE TABLE debt (debtor INTEGER REFERENCES debtor DEFERRABLE INITIALLY DEFERRED); INSERT INTO debt VALUES (1)`),
  );
  flush();
}

/** Bus, queues, both workflows and all functions in this process, over a database in memory and a clock to wind. */
export async function pipeline({ services = {} }: { services?: Record<string, (real: Service) => Service> } = {}) {
  const clock = woundClock();
  const database = openDatabase(':memory:');
  const changed = Object.entries(services).map(([name, change]) => [name, change(serviceOf[name] as Service)] as const);
  const runtime = localRuntime(topology, {
    database,
    clock,
    vault: vaultOf(new Uint8Array(32).fill(9)),
    log: pino({ level: 'silent' }),
    mail: () => ({ send: async () => ({ response: '250 taken' }) }),
    publicUrl: 'https://comments.example',
    services: { ...serviceOf, ...Object.fromEntries(changed) },
  });
  const { ports, table, queues } = runtime;
  const events: BusEvent[] = [];
  runtime.bus.onEvent((event) => events.push(event));
  const sites = sitesOf(table, clock);
  await sites.put({ id: 'blog', name: 'Blog', origins: [], threadParams: [], authors: [], moderatorEmails: [] });
  await sites.putPolicy('blog', Policy.parse({}), 0, 'test');
  runtime.start();
  const store = storeOf(table, clock);
  let nudges = 0;

  const put = (type: string, detail: object) => ports.bus.put([{ source: 'sluice.comments', type, detail }]);
  const executions = () =>
    database.sqlite
      .prepare(
        `SELECT name, status, error FROM execution WHERE workflow = 'review' AND name NOT LIKE 'nudge-%' ORDER BY id`,
      )
      .all() as Execution[];

  return {
    ...runtime,
    clock,
    store,
    events,
    put,
    executions,
    submit: (id: string, more: object = {}) =>
      put('CommentSubmitted', {
        schema: 1,
        id,
        site: 'blog',
        thread: '/post',
        author: { name: `Writer ${id}` },
        body: `The ${id} remark stands alone.`,
        ...more,
      }),
    told: (type: string, id: string) =>
      events.filter((event) => event['detail-type'] === type && (event.detail as { id?: string }).id === id).length,
    status: async (id: string) => (await store.get(id))?.status,
    publications: async (id: string) =>
      (await store.log(id)).filter(({ from, to }) => to === 'published' && from !== 'published').length,
    total: () => store.threadCount('blog', '/post'),
    async deadLetters(): Promise<readonly DeadLetter[]> {
      const letters = deadLettersOf(table);
      return (await Promise.all(['blog', NO_SITE].map((site) => letters.list(site, { limit: 100 })))).flatMap(
        (page) => page.letters,
      );
    },
    decide: async (id: string, action: Decision['action'], over: Partial<Ports> = {}): Promise<Result> =>
      decide({ ...ports, ...over }, 'ada', { id, version: (await store.mustGet(id)).version, action }),
    /** Until nothing is visible or in flight in the intake. */
    async quiet() {
      for (let look = 0; look < 1000; look++) {
        const { depth, inFlight } = (await queues.intake?.attributes()) ?? { depth: 0, inFlight: 0 };
        if (depth + inFlight === 0) return;
        await new Promise((done) => setTimeout(done, 5));
      }
      throw new Error('the intake never ran dry');
    },
    /** Lets time pass: queues and timers look at the clock again. */
    async wind(ms: number) {
      clock.wind(ms);
      for (const queue of Object.values(queues)) queue.arrived();
      // Timers sleep by the real clock: whatever is journaled sets them anew.
      await ports.workflows.start('review', { name: `nudge-${nudges++}`, input: { id: 'nobody', version: 1 } });
    },
    end: () => runtime.stop(),
  };
}
export type Pipeline = Awaited<ReturnType<typeof pipeline>>;
