import { createHash } from 'node:crypto';
import { SluiceError } from '../../shared/errors.ts';
import type { Pipeline, Verdict } from './place.ts';

export type ReplayOptions = { site: string; rate?: number };

export type ReplayResult = {
  submitted: number;
  published: number;
  held: number;
  rejected: number;
  failed: number;
  'unreadable lines': number;
  'comments/s': number;
  'p50 ms to decision': number;
  'p99 ms to decision': number;
};

type Line = { text: string; author?: string; link?: string; date?: string; thread?: string };

/** Submissions under way at once, and decisions waited for: bounds the memory of a file of any size. */
const AT_ONCE = 32;
const MOST_WAITING = 256;

/** What has no verdict this long after the last line counts as failed. */
const PATIENCE_MS = 60_000;

/**
 * Submits each line through a door and waits for its verdict.
 *
 * Each author has an address of their own, so that one network's flood is not what is measured.
 */
export async function runReplay(
  pipeline: Pipeline,
  lines: AsyncIterable<string>,
  { site, rate }: ReplayOptions,
  progress: (bytes: number, note: string) => void,
): Promise<ReplayResult> {
  const waiting = new Map<string, number>();
  /** Decided before the door's answer was read. */
  const early = new Map<string, { state: Verdict; at: number }>();
  const times: number[] = [];
  const tally = { submitted: 0, published: 0, held: 0, rejected: 0, failed: 0, unreadable: 0 };
  const began = performance.now();
  let underway = 0;

  const decided = (state: Verdict, ms: number) => {
    tally[state] += 1;
    times.push(ms);
  };
  const verdicts = pipeline.verdicts((id, state) => {
    const start = waiting.get(id);
    if (start === undefined) early.set(id, { state, at: performance.now() });
    else if (waiting.delete(id)) decided(state, performance.now() - start);
  });
  const submitted = (id: string, start: number) => {
    const known = early.get(id);
    if (known && early.delete(id)) decided(known.state, known.at - start);
    else {
      waiting.set(id, start);
      verdicts.watch(id);
    }
  };

  for await (const text of lines) {
    if (text.trim() !== '') {
      const line = readLine(text);
      if (!line) tally.unreadable += 1;
      else {
        if (rate) await pace(began, tally.submitted, rate);
        while (underway >= AT_ONCE || waiting.size >= MOST_WAITING) await new Promise((done) => setTimeout(done, 1));
        underway += 1;
        tally.submitted += 1;
        const start = performance.now();
        void submit(pipeline, site, line)
          .then((id) => submitted(id, start))
          .catch(() => {
            tally.failed += 1;
          })
          .finally(() => {
            underway -= 1;
          });
      }
    }
    progress(Buffer.byteLength(text) + 1, `${tally.submitted} submitted`);
  }
  const patience = performance.now() + PATIENCE_MS;
  while ((underway > 0 || waiting.size > 0) && performance.now() < patience)
    await new Promise((done) => setTimeout(done, 5));
  verdicts.stop();
  tally.failed += waiting.size;
  const seconds = (performance.now() - began) / 1000;
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    submitted: tally.submitted,
    published: tally.published,
    held: tally.held,
    rejected: tally.rejected,
    failed: tally.failed,
    'unreadable lines': tally.unreadable,
    'comments/s': tally.submitted / seconds,
    'p50 ms to decision': at(0.5),
    'p99 ms to decision': at(0.99),
  };
}

async function submit(pipeline: Pipeline, site: string, line: Line): Promise<string> {
  const name = (line.author ?? '').trim().slice(0, 80) || 'Anonymous';
  const thread = encodeURIComponent(line.thread ?? 'replay');
  const request = (body: object) =>
    pipeline.fetch(
      new Request(`${pipeline.publicUrl}/v1/sites/${site}/threads/${thread}/comments`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
      addressOf(line.author ?? line.text),
    );
  const link = httpUrl(line.link);
  let answer = await request({ author: { name, ...(link && { url: link }) }, body: line.text });
  if (answer.status === 422) {
    // Real files hold names and links that the door would hand back to their writer: the comment itself still counts.
    answer = await request({ author: { name: 'Anonymous' }, body: line.text });
  }
  if (answer.status !== 202) {
    throw new SluiceError(
      'Request.Invalid',
      `the door answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`,
      { hint: 'see the line' },
    );
  }
  return ((await answer.json()) as { id: string }).id;
}

function readLine(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (
      typeof value !== 'object' ||
      value === null ||
      !('text' in value) ||
      typeof value.text !== 'string' ||
      value.text.trim() === ''
    ) {
      return undefined;
    }
    const fields = value as Record<string, unknown>;
    const word = (name: string) =>
      typeof fields[name] === 'string' && fields[name] !== '' ? { [name]: fields[name] } : {};
    return { text: value.text, ...word('author'), ...word('link'), ...word('thread') };
  } catch {
    return undefined;
  }
}

const httpUrl = (link: string | undefined): string | undefined =>
  link && URL.canParse(link) && /^https?:$/.test(new URL(link).protocol) ? link : undefined;

/** 10.0.0.0/8, by a hash of who writes. */
function addressOf(who: string): string {
  const [a, b, c] = createHash('sha256').update(who).digest();
  return `10.${a}.${b}.${c}`;
}

async function pace(began: number, submitted: number, perSecond: number): Promise<void> {
  const due = began + (submitted / perSecond) * 1000;
  const wait = due - performance.now();
  if (wait > 1) await new Promise((done) => setTimeout(done, wait));
}
