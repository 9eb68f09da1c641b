import { SluiceError } from '../../shared/errors.ts';
import type { Reply } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';

type Job<T> = { id: string; site: string; of: number; done: number; result?: T; failed?: string };

/** What takes longer is answered with the address of its progress. */
const ANSWER_WITHIN_MS = 1500;
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
      const job: Job<T> = { id: ids.next(), site, of, done: 0 };
      jobs.set(job.id, job);
      if (jobs.size > JOBS) jobs.delete(jobs.keys().next().value ?? '');
      const within = new Promise((resolve) => {
        setTimeout(resolve, ANSWER_WITHIN_MS).unref();
      });
      await Promise.race([run(job, work), within]);
      return answerOf(job, path);
    },

    progress(id: string, { site, path }: { site: string; path: string }): Reply {
      const job = jobs.get(id);
      if (!job || job.site !== site) {
        throw new SluiceError('Request.NotFound', `there is no such ${what}`, { hint: 'start it again' });
      }
      return answerOf(job, path);
    },
  };
}
