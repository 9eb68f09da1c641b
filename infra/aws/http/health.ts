import type { Moderator } from '../../../services/moderation/moderator.ts';
import type { Route } from '../../../shared/http.ts';
import type { Ports } from '../../../shared/ports.ts';

/** Asked of SQS at most this often: whoever polls /health pays no queue request a call. */
const REMEMBER_MS = 5000;

type Depths = Record<string, { depth: number; inFlight: number; dead: number }>;

let remembered: { at: number; depths: Promise<Depths> } | undefined;

export const healthRoute = (ports: Pick<Ports, 'queues' | 'clock'>): Route<Moderator> => ({
  method: 'GET',
  path: '/health',
  summary: '',
  access: 'public',
  responses: {},
  handle: async () => ({ status: 200, body: { status: 'ok', queues: await healthOf(ports) } }),
});

/** How full each first queue is; what waits for its next try counts, as `delayed` does locally. */
function healthOf({ queues, clock }: Pick<Ports, 'queues' | 'clock'>): Promise<Depths> {
  const now = clock.now();
  if (remembered && now - remembered.at < REMEMBER_MS) return remembered.depths;
  const depths = read(queues);
  remembered = { at: now, depths };
  depths.catch(() => {
    remembered = undefined;
  });
  return depths;
}

async function read(queues: Ports['queues']): Promise<Depths> {
  // By their names, which a test holds: the whole topology would be in the bundle for it.
  const first = Object.keys(queues).filter((name) => `${name}-dead` in queues);
  const rows = await Promise.all(
    first.map(async (name) => {
      const [own, dead] = await Promise.all([queues[name]!.attributes(), queues[`${name}-dead`]!.attributes()]);
      return [
        name,
        { depth: own.depth + own.delayed, inFlight: own.inFlight, dead: dead.depth + dead.inFlight },
      ] as const;
    }),
  );
  return Object.fromEntries(rows);
}
