import { createHash } from 'node:crypto';
import { SluiceError } from '../../../shared/errors.ts';
import { storeOf } from '../../../shared/store/comments.ts';
import type { Instance } from '../instance.ts';

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
const AT_ONCE = 64;
const MOST_WAITING = 4096;
const POLL_MS = 20;
/** A comment without a verdict after this long counts as failed. */
const PATIENCE_MS = 60_000;

/**
 * Submits each line through the door of an instance and waits for its verdict.
 *
 * Each author has an address of their own, so that one network's flood is not what is measured.
 */
export async function runReplay(
  instance: Instance,
  lines: AsyncIterable<string>,
  { site, rate }: ReplayOptions,
  progress: (bytes: number, note: string) => void,
): Promise<ReplayResult> {
  const store = storeOf(instance.runtime.table, { now: Date.now });
  const waiting = new Map<string, number>();
  const times: number[] = [];
  const tally = { submitted: 0, published: 0, held: 0, rejected: 0, failed: 0, unreadable: 0 };
  const began = performance.now();
  let underway = 0;
  let ended = false;

  const poll = (async () => {
    while (!ended || waiting.size > 0 || underway > 0) {
      const ids = [...waiting.keys()].slice(0, 1000);
      for (let from = 0; from < ids.length; from += 100) {
        for (const comment of await store.getMany(ids.slice(from, from + 100))) {
          if (!comment || comment.status === 'received') continue;
          const start = waiting.get(comment.id) ?? 0;
          waiting.delete(comment.id);
          times.push((comment.publishedAt ?? comment.heldAt ?? Date.now()) - start);
          if (comment.status === 'published') tally.published += 1;
          else if (comment.status === 'held') tally.held += 1;
          else tally.rejected += 1;
        }
      }
      for (const [id, start] of waiting) {
        if (Date.now() - start < PATIENCE_MS) break;
        waiting.delete(id);
        tally.failed += 1;
      }
      // Those just looked at go to the end, so that a stuck one does not hide the others.
      for (const id of ids) {
        const start = waiting.get(id);
        if (start !== undefined && waiting.size > 1000) {
          waiting.delete(id);
          waiting.set(id, start);
        }
      }
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
  })();

  for await (const text of lines) {
    if (text.trim() !== '') {
      const line = readLine(text);
      if (!line) tally.unreadable += 1;
      else {
        if (rate) await pace(began, tally.submitted, rate);
        while (underway >= AT_ONCE || waiting.size >= MOST_WAITING) await new Promise((done) => setImmediate(done));
        underway += 1;
        tally.submitted += 1;
        const start = Date.now();
        void submit(instance, site, line)
          .then((id) => waiting.set(id, start))
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
  ended = true;
  await poll;
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

async function submit(instance: Instance, site: string, line: Line): Promise<string> {
  const name = (line.author ?? '').trim().slice(0, 80) || 'Anonymous';
  const thread = encodeURIComponent(line.thread ?? 'replay');
  const request = (body: object) =>
    instance.fetch(
      new Request(`${instance.publicUrl}/v1/sites/${site}/threads/${thread}/comments`, {
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
