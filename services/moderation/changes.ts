import type { Clock } from '../../shared/ports.ts';

/** What changed at the desk, as other moderators' pages learn it. */
export type DeskChange = {
  site: string;
  commentId: string;
  /** `decided`, `undone`, `claimed`, `released`, `noted`, or an event's type (`CommentHeld`, …). */
  type: string;
  by?: string;
  status?: string;
  version?: number;
  at?: number;
};

export type NumberedChange = DeskChange & { id: string; at: number };

export type Changes = {
  push(change: DeskChange): void;
  /** Those after a cursor; `reset` when the cursor is older than what is kept, or of another process. */
  since(cursor: string | undefined): { changes: readonly NumberedChange[]; cursor: string; reset: boolean };
  /** Called on every push, and once with nothing at the end, until the returned function is called. */
  subscribe(listener: (change: NumberedChange | undefined) => void): () => void;
  /** Ends what listens: the server stops. */
  end(): void;
};

const KEPT = 2000;

/** The newest changes, in memory: whoever missed more reads the list again. */
export function changesOf(clock: Clock): Changes {
  const epoch = clock.now().toString(36);
  const ring: NumberedChange[] = [];
  const listeners = new Set<(change: NumberedChange | undefined) => void>();
  let last = 0;
  return {
    push(change) {
      const numbered = { ...change, id: `${epoch}-${++last}`, at: change.at ?? clock.now() };
      ring.push(numbered);
      if (ring.length > KEPT) ring.shift();
      for (const listener of listeners) listener(numbered);
    },
    since(cursor) {
      const [from, number] = cursor?.split('-') ?? [];
      const seen = Number(number);
      const first = last - ring.length;
      const known = from === epoch && Number.isInteger(seen) && seen >= first && seen <= last;
      return {
        changes: known ? ring.slice(seen - first) : [],
        cursor: `${epoch}-${last}`,
        reset: cursor !== undefined && !known,
      };
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    end() {
      for (const listener of listeners) listener(undefined);
    },
  };
}
