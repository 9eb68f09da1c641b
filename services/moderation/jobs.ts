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

/** What takes longer is answered with the address of its progress. */
const ANSWER_WITHIN_MS = 1500;
/** Whoever asks for progress waits this long with the work: a Lambda function works only while it is asked. */
const PROGRESS_WITHIN_MS = 400;
const JOBS = 20;

/** Work that may outlast its request. Of this process: what a restart forgot is started again by whoever asks. */
export function jobsOf<T>({ ids, log }: Pick<Ports, 'ids' | 'log'>, what: string) {
  const jobs = new Map<string, Job<T>>();

  const run = async (job: Job<T>, work: (onProgress: (done: number) => void) => Promise<T>): Promise<void> => {
    try {
      job.result = await work((done) => {
        job.done = done;
      });
    } catch (error) {
      log.error({ err: error, site: job.site }, `${what} failed`);
      job.failed = error instanceof SluiceError ? error.message : `the ${what} failed here; the log has the cause`;
    }
  };

  const answerOf = (job: Job<T>, path: string): Reply => {
    if (job.failed) throw new SluiceError('Internal.Bug', job.failed, { hint: 'try again' });
    if (job.result) return { status: 200, body: job.result };
    const progress = `${path}/${job.id}`;
    return { status: 202, body: { progress, done: job.done, of: job.of }, headers: { location: progress } };
  };

  return {
    /** The result if it comes soon, else 202 and where to ask: `path` and the job's id. */
    async start(
      { site, of, path }: { site: string; of: number; path: string },
      work: (onProgress: (done: number) => void) => Promise<T>,
    ): Promise<Reply> {
      const job: Job<T> = { id: ids.next(), site, of, done: 0, ended: Promise.resolve() };
      jobs.set(job.id, job);
      if (jobs.size > JOBS) jobs.delete(jobs.keys().next().value ?? '');
      job.ended = run(job, work);
      await within(job, ANSWER_WITHIN_MS);
      return answerOf(job, path);
    },

    async progress(id: string, { site, path }: { site: string; path: string }): Promise<Reply> {
      const job = jobs.get(id);
      if (!job || job.site !== site) {
        throw new SluiceError('Request.NotFound', `there is no such ${what}`, { hint: 'start it again' });
      }
      await within(job, PROGRESS_WITHIN_MS);
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
