import { SluiceError } from '../../shared/errors.ts';
import type { Reply } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';

type Job<T> = {
  id: string;
  site: string;
  of: number;
  done: number;
  result?: T;
  failed?: string;
  ended: Promise<void>;
};

/** What another process needs to answer for a job, and its result once there is one. */
type Kept<Input, T> = { site: string; what: string; of: number; input: Input; result?: T };

/** What takes longer is answered with the address of its progress. */
const ANSWER_WITHIN_MS = 1500;
/** Whoever asks for progress waits this long with the work: a Lambda function works only while it is asked. */
const PROGRESS_WITHIN_MS = 400;
const JOBS = 20;
/** A result names writers: it is kept for who asks, and no longer. */
const KEPT_SECONDS = 3600;

/**
 * Work that may outlast its request, and the process that began it.
 *
 * What was asked is stored with the job's id: a process that does not know the job, another Lambda instance or the next
 * one after a restart, does the work anew when it is asked for the progress. The first result stands for all.
 */
export function jobsOf<Input extends object, T extends object>(
  { ids, log, table, clock }: Pick<Ports, 'ids' | 'log' | 'table' | 'clock'>,
  what: string,
  work: (site: string, input: Input, onProgress: (done: number) => void) => Promise<T>,
) {
  const jobs = new Map<string, Job<T>>();
  const keyOf = (id: string) => ({ pk: `JOB#${id}`, sk: 'job' });

  const keep = async (id: string, kept: Kept<Input, T>): Promise<void> => {
    const expiresAt = Math.floor(clock.now() / 1000) + KEPT_SECONDS;
    await table.write([{ put: { ...keyOf(id), ...kept, expiresAt } }]);
  };

  const begin = (id: string, { site, of, input }: { site: string; of: number; input: Input }): Job<T> => {
    const run = async (): Promise<void> => {
      try {
        job.result = await work(site, input, (done) => {
          job.done = done;
        });
      } catch (error) {
        log.error({ err: error, site }, `${what} failed`);
        job.failed = error instanceof SluiceError ? error.message : `the ${what} failed here; the log has the cause`;
      }
    };
    const job: Job<T> = { id, site, of, done: 0, ended: Promise.resolve() };
    jobs.set(id, job);
    if (jobs.size > JOBS) jobs.delete(jobs.keys().next().value ?? '');
    job.ended = run();
    return job;
  };

  const answerOf = (job: Job<T>, path: string): Reply => {
    if (job.failed) throw new SluiceError('Internal.Bug', job.failed, { hint: 'try again' });
    if (job.result) return { status: 200, body: job.result };
    const progress = `${path}/${job.id}`;
    return { status: 202, body: { progress, done: job.done, of: job.of }, headers: { location: progress } };
  };

  return {
    /** The result if it comes soon, else 202 and where to ask: `path` and the job's id. */
    async start({ path, ...asked }: { site: string; of: number; input: Input; path: string }): Promise<Reply> {
      const job = begin(ids.next(), asked);
      await within(job, ANSWER_WITHIN_MS);
      if (!job.result && !job.failed) await keep(job.id, { ...asked, what });
      return answerOf(job, path);
    },

    async progress(id: string, { site, path }: { site: string; path: string }): Promise<Reply> {
      let job = jobs.get(id);
      if (!job?.result) {
        const kept = (await table.get(keyOf(id))) as Kept<Input, T> | undefined;
        if (!kept || kept.site !== site || kept.what !== what) {
          throw new SluiceError('Request.NotFound', `there is no such ${what}`, { hint: 'start it again' });
        }
        if (kept.result) return { status: 200, body: kept.result };
        job ??= begin(id, kept);
        await within(job, PROGRESS_WITHIN_MS);
        if (job.result) await keep(id, { site, what, of: job.of, input: kept.input, result: job.result });
      } else if (job.site !== site) {
        throw new SluiceError('Request.NotFound', `there is no such ${what}`, { hint: 'start it again' });
      }
      return answerOf(job, path);
    },
  };
}

async function within({ ended }: { ended: Promise<void> }, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([ended, late]);
  clearTimeout(timer);
}
