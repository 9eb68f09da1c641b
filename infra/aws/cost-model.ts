import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { topology } from '../topology.ts';
import { EXTRA } from './extra.ts';

export type TableUse = { writeUnits: number; readUnits: number };

/** What one call of a function uses, as test/bench/measure-aws.ts counted it. */
export type EntryMeasure = {
  cpuMs: number;
  logBytes: number;
  events: number;
  eventBytes: number;
  sends: number;
  /** Waits one after the other, with a request to the table as the unit; what goes at the same time is waited for once. */
  rounds: number;
  table: Record<string, TableUse>;
};

export type Measurements = {
  measuredAt: string;
  node: string;
  comments: number;
  /** Kept of one comment, for good, index entries included. */
  storedBytes: number;
  entries: Record<string, EntryMeasure>;
};

export type Prices = Record<string, { usd: number; unit: string; source: string }>;

export type Part = 'pipeline' | 'edge' | 'people';

export type Line = {
  service: string;
  /** What of the service, in words. */
  what: string;
  group: 'use' | 'fixed' | 'mail';
  /** Where the use arises: from the submission to the verdict, around it (CloudFront, asking for the status), or with a person. */
  part?: Part;
  quantity: number;
  unit: string;
  /** USD for one unit. */
  price: number;
  usd: number;
};

export type Bill = { comments: number; lines: Line[]; usd: number };

/** What is assumed of comments and of AWS, beside what was measured. */
export const ASSUMED = {
  /** Of all comments: how many a person decides, and how many the policy rejects. */
  held: 0.05,
  rejected: 0.05,
  /** How often a writer's page asks what became of a comment. */
  statusAsks: 1,
  /** E-mails a comment: replies and authors told. */
  mails: 0.2,
  /** A reader's page asks for its thread; none unless asked for, since readers are not comments. */
  views: 0,
  /** Milliseconds of one request from Lambda to the table, in the same region; test/bench/measure-aws.ts weighs the others by it. */
  tripMs: 4,
  /** Milliseconds that a state of an Express workflow takes beside its function. */
  stateMs: 12,
  /** Share of calls that start an environment, and what its start is billed. */
  coldShare: 0.005,
  coldMs: 350,
  /** An idle consumer long-polls with five connections of 20 s each. */
  pollsPerMonth: 5 * 3 * 60 * 24 * 30,
  traced: 0.01,
  emfBytes: 290,
  accessLogBytes: 160,
  /** Around each line of a log. */
  lineBytes: 26,
} as const;

/** The states of a run, by their names in the ASL files: cost.test.ts looks that they are there. */
export const PATHS = {
  published: [
    'Take',
    'Validate',
    'Choose after validate',
    'Judge',
    'Choose',
    'Publish',
    'Choose after publish',
    'AuthorNotify',
    'Done',
  ],
  review: ['Await', 'Follow', 'AuthorNotify'],
} as const;

/** Without a person. */
const PUBLISHED = 1 - ASSUMED.held - ASSUMED.rejected;

/** Calls a comment makes, by the names of the measurements, with the function of the topology that each runs in. */
const CALLS: readonly { entry: string; function: string; times: number; part: Part }[] = [
  { entry: 'door submit', function: 'door', times: 1, part: 'pipeline' },
  { entry: 'door status', function: 'door', times: ASSUMED.statusAsks, part: 'edge' },
  { entry: 'validate', function: 'validate', times: 1, part: 'pipeline' },
  { entry: 'spam-check', function: 'spam-check', times: 1, part: 'pipeline' },
  { entry: 'publish', function: 'publish', times: PUBLISHED, part: 'pipeline' },
  { entry: 'author-notify', function: 'author-notify', times: PUBLISHED, part: 'pipeline' },
  { entry: 'hold', function: 'hold', times: ASSUMED.held, part: 'people' },
  { entry: 'reject', function: 'reject', times: ASSUMED.rejected, part: 'pipeline' },
  { entry: 'await-decision', function: 'await-decision', times: ASSUMED.held, part: 'people' },
  { entry: 'follow', function: 'publish', times: ASSUMED.held, part: 'people' },
  // Of the hold, and once it is decided.
  { entry: 'author-notify', function: 'author-notify', times: 2 * ASSUMED.held, part: 'people' },
  { entry: 'decide', function: 'moderation', times: ASSUMED.held, part: 'people' },
];

const HERE = import.meta.dirname;
const json = <T>(name: string): T => JSON.parse(readFileSync(join(HERE, name), 'utf8')) as T;
export const readMeasurements = (): Measurements => json('measurements.json');
export const readPrices = (): Prices => json<{ prices: Prices }>('prices.json').prices;

/** What so many comments in one month cost, line by line, at list prices without free tier. */
export function bill(
  comments: number,
  { measurements, prices, views = ASSUMED.views }: { measurements: Measurements; prices: Prices; views?: number },
): Bill {
  const lines: Line[] = [];
  /** `where` is the group, or the part of the use. */
  const add = (
    service: string,
    what: string,
    where: Part | 'fixed' | 'mail',
    quantity: number,
    name: string,
    priceOf?: (quantity: number) => number,
  ) => {
    const { usd, unit } = prices[name]!;
    const total = priceOf ? priceOf(quantity) : quantity * usd;
    const place = where === 'fixed' || where === 'mail' ? { group: where } : { group: 'use' as const, part: where };
    lines.push({ service, what, ...place, quantity, unit, price: quantity > 0 ? total / quantity : usd, usd: total });
  };
  const measured = (entry: string) => measurements.entries[entry]!;

  const apiTiers = (quantity: number) =>
    tiered(quantity, [
      [300e6, 1e-6],
      [Infinity, 0.9e-6],
    ]);
  const asks = comments * ASSUMED.statusAsks;
  const preflights = comments;
  const seen = comments + preflights + asks + comments * views;
  add('API Gateway', 'submissions', 'pipeline', comments, 'apiRequest', apiTiers);
  add('API Gateway', 'status, and threads not in the cache', 'edge', asks + comments * views, 'apiRequest', apiTiers);
  add('CloudFront', 'requests: submission, its preflight, status', 'edge', seen, 'cloudfrontRequest');
  add('CloudFront', 'functions', 'edge', seen, 'cloudfrontFunction');
  const answered = (comments + preflights + asks) * 700 + comments * views * 6000;
  add('CloudFront', 'answers', 'edge', answered / 1e9, 'cloudfrontGb');

  const eventsOf = (part: Part) =>
    sum(CALLS.filter((call) => call.part === part).map(({ entry, times }) => measured(entry).events * times));
  const eventBytes = sum(CALLS.map(({ entry, times }) => measured(entry).eventBytes * times));
  add(
    'EventBridge',
    'events put: submitted, and what became of it',
    'pipeline',
    comments * eventsOf('pipeline'),
    'event',
  );
  add('EventBridge', 'events put: held, decided, followed', 'people', comments * eventsOf('people'), 'event');
  add(
    'EventBridge',
    `archive, ${topology.bus.archiveDays} days`,
    'pipeline',
    (comments * eventBytes) / 1e9,
    'archiveGb',
  );

  const [pipe] = Object.values(topology.pipes);
  const intake = topology.queues[pipe!.queue]!;
  // Sent, received, deleted.
  add('SQS', `${pipe!.queue}: send, receive, delete`, 'pipeline', comments * (1 + 2 / pipe!.batchSize), 'sqsRequest');
  if (intake.fair)
    add('SQS', `${pipe!.queue}: fair queue`, 'pipeline', comments * (1 + 2 / pipe!.batchSize), 'sqsFair');
  add('Pipes', 'intake → moderation', 'pipeline', comments / pipe!.batchSize, 'pipeRequest');

  const runMs =
    sum(
      [
        ['validate', 'validate'],
        ['spam-check', 'spam-check'],
        ['publish', 'publish'],
        ['author-notify', 'author-notify'],
      ].map(([entry, name]) => billedMs(measured(entry!), name!)),
    ) +
    PATHS.published.length * ASSUMED.stateMs;
  const runGbHours = (64 / 1024) * (Math.ceil(runMs / 100) / 10 / 3600);
  add('Step Functions', 'Express runs', 'pipeline', comments, 'expressRequest');
  add(
    'Step Functions',
    `Express memory, ${Math.ceil(runMs / 100) * 100} ms of 64 MB`,
    'pipeline',
    comments * runGbHours,
    'expressGbHour',
    (n) =>
      tiered(n, [
        [1000, 0.06],
        [5000, 0.03],
        [Infinity, 0.01642],
      ]),
  );
  add(
    'Step Functions',
    `Standard transitions: ${PATHS.review.length} of each held comment`,
    'people',
    comments * ASSUMED.held * PATHS.review.length,
    'transition',
  );

  for (const { entry, function: name, times, part } of CALLS) {
    const ms = billedMs(measured(entry), name) + ASSUMED.coldShare * ASSUMED.coldMs;
    add('Lambda', `${entry}: requests`, part, comments * times, 'lambdaRequest');
    add(
      'Lambda',
      `${entry}: ${Math.round(ms)} ms of ${memoryOf(name)} MB`,
      part,
      comments * times * (ms / 1000) * (memoryOf(name) / 1024),
      'lambdaGbSecond',
    );
  }
  for (const { entry, times, part } of CALLS) {
    for (const [use, { writeUnits, readUnits }] of Object.entries(measured(entry).table)) {
      if (writeUnits > 0) add('DynamoDB', `${entry}: ${use}`, part, comments * times * writeUnits, 'writeUnit');
      if (readUnits > 0) add('DynamoDB', `${entry}: ${use}`, part, comments * times * readUnits, 'readUnit');
    }
  }
  add('DynamoDB', 'kept, first month', 'pipeline', (comments * measurements.storedBytes) / 2 / 1e9, 'tableGbMonth');
  add(
    'DynamoDB',
    'point-in-time recovery, first month',
    'pipeline',
    (comments * measurements.storedBytes) / 2 / 1e9,
    'backupGbMonth',
  );

  const logBytes =
    sum(
      CALLS.map(({ entry, times }) =>
        measured(entry).logBytes > 0 ? (measured(entry).logBytes + ASSUMED.lineBytes) * times : 0,
      ),
    ) +
    ASSUMED.emfBytes +
    (1 + ASSUMED.statusAsks) * ASSUMED.accessLogBytes;
  add(
    'CloudWatch Logs',
    `taken in, ${Math.round(logBytes)} bytes a comment`,
    'pipeline',
    (comments * logBytes) / 1e9,
    'logGb',
  );
  add('CloudWatch Logs', 'kept a month', 'pipeline', (comments * logBytes) / 1e9, 'logGbMonth');
  add('X-Ray', 'one run in a hundred', 'pipeline', comments * ASSUMED.traced, 'trace');

  const mails = comments * ASSUMED.mails;
  add('SES', 'e-mails', 'mail', mails, 'mail');
  add('SQS', 'notify: send, receive, delete', 'mail', mails * 3, 'sqsRequest');
  add('Lambda', 'deliver: requests', 'mail', mails, 'lambdaRequest');
  add('Lambda', 'deliver: 80 ms', 'mail', mails * 0.08 * (memoryOf('deliver') / 1024), 'lambdaGbSecond');

  const consumers = Object.keys(topology.eventSources).length + Object.keys(topology.pipes).length;
  add('SQS', `${consumers} consumers that wait`, 'fixed', consumers * ASSUMED.pollsPerMonth, 'sqsRequest');
  for (const [name, { everySeconds, function: called }] of Object.entries(topology.schedules)) {
    const calls = (30 * 86_400) / everySeconds;
    const use = measurements.entries[name];
    add('Lambda', `${name}, every ${everySeconds} s: requests`, 'fixed', calls, 'lambdaRequest');
    if (!use) continue;
    add(
      'Lambda',
      `${name}, every ${everySeconds} s`,
      'fixed',
      calls * (billedMs(use, called) / 1000) * (memoryOf(called) / 1024),
      'lambdaGbSecond',
    );
    add(
      'DynamoDB',
      `${name}, every ${everySeconds} s`,
      'fixed',
      calls * sum(Object.values(use.table).map(({ readUnits }) => readUnits)),
      'readUnit',
    );
  }
  const functions = Object.keys({ ...topology.functions, ...EXTRA }).length;
  const watched = 9 + Object.values(topology.queues).filter(({ deadLetter }) => deadLetter).length;
  const drained = Object.values(topology.queues).filter(({ deadLetter }) => !deadLetter).length;
  add('CloudWatch', 'alarms', 'fixed', functions + Object.keys(topology.workflows).length + watched + drained, 'alarm');
  add('CloudWatch', 'custom metrics', 'fixed', 5, 'metric');
  add('CloudWatch', 'dashboard', 'fixed', 1, 'dashboard');
  add('Secrets Manager', 'root key, origin', 'fixed', 2, 'secret');

  return { comments, lines, usd: sum(lines.map(({ usd }) => usd)) };
}

/** Beside ours, per million comments: the same by one Standard workflow, and the primitives alone with a batching function. */
export const BESIDE = { oneStandardWorkflow: 185.3, floor: 6.6 } as const;

const memoryOf = (name: string) => (topology.functions[name] ?? EXTRA[name])!.memoryMb;

/** One processor stands behind 1,769 MB: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
function billedMs({ cpuMs, rounds }: EntryMeasure, name: string): number {
  return Math.ceil(2 + cpuMs * Math.max(1, 1769 / memoryOf(name)) + rounds * ASSUMED.tripMs);
}

/** The first so many at one price, those beyond at the next. */
function tiered(quantity: number, tiers: readonly (readonly [upTo: number, usd: number])[]): number {
  let [rest, from, total] = [quantity, 0, 0];
  for (const [upTo, usd] of tiers) {
    const here = Math.min(rest, upTo - from);
    total += here * usd;
    rest -= here;
    from = upTo;
    if (rest <= 0) break;
  }
  return total;
}

const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
