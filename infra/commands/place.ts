import type { Clock, Table } from '../../shared/ports.ts';
import type { Vault } from '../../shared/vault.ts';
import type { Load } from '../../services/import/load.ts';

/**
 * What a command needs of the store. `made`: a new one is made, with the site `demo`. `untouched`: nothing is made, and where
 * there is none one looks into an empty one. `needed`: it must be there. A stage on AWS is always there.
 */
export type Need = 'made' | 'untouched' | 'needed';

export type Stored = {
  table: Table;
  vault: Vault;
  clock: Clock;
  /** Sends to a queue of the topology. */
  send(queue: string, body: string, group: string | undefined): Promise<void>;
  /** Forgets what stands of these comments outside the table. */
  forgetTexts(ids: readonly string[]): Promise<void>;
  /** A store that takes comments by the thousand. */
  bulk?: {
    load: Load;
    /** Returns once all that was loaded is on disk. */
    settle(): Promise<void>;
    /** What the vault is made of, for a thread of its own. */
    root: Uint8Array;
    /** A server runs on it: it must come to its turn. */
    beside: boolean;
  };
  /** What still holds what was erased, in words that begin a sentence. */
  stillHeld: string;
};

export type Verdict = 'published' | 'held' | 'rejected';

/** The door, called in this process. */
export type Door = {
  publicUrl: string;
  fetch(request: Request, client?: string): Promise<Response>;
};

/** A door without rate limits, and what becomes of what it takes. */
export type Pipeline = Door & {
  /** Tells the verdict on each comment that is watched; locally on all. */
  verdicts(tell: (id: string, verdict: Verdict) => void): { watch(id: string): void; stop(): void };
};

/** What a test through the whole pipeline needs, and how to take it back. */
export type Trial = Pick<Stored, 'table' | 'vault' | 'clock'> &
  Door & {
    /** By whom mail goes. */
    mailer: string;
    /** Takes away all that a test on a site of its own wrote. */
    remove(site: string, ids: readonly string[], contact: string | undefined): Promise<void>;
  };

/** An instance as the commands see it: a data folder of this machine, or a stage on AWS. */
export type Place = {
  /** The store, beside whatever runs on it. */
  stored<T>(need: Need, work: (stored: Stored) => Promise<T>): Promise<T>;
  pipeline<T>(work: (pipeline: Pipeline) => Promise<T>): Promise<T>;
  trial<T>(work: (trial: Trial) => Promise<T>): Promise<T>;
  /** Says a line for each thing outside the table that it looked at; true when all is well. */
  doctor(say: (line: string) => void): Promise<boolean>;
};
