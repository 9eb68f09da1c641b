import type { Ban } from '../../shared/bans.ts';
import type { Outcome } from './judge.ts';
import { linksTo, termsIn } from './signals.ts';

/** What of a comment a ban may be about. */
export type Banned = {
  writer: string;
  network?: string;
  name: string;
  text: string;
  hosts: readonly string[];
  fingerprint: string;
};

/** The bans that a comment falls under, those that reject first. */
export function bansOn(subject: Banned, bans: readonly Ban[], nowMs: number): Ban[] {
  if (bans.length === 0) return [];
  const { words, others } = sorted(bans);
  const live = ({ expiresAt }: Ban) => expiresAt === undefined || expiresAt > nowMs;
  const is = ({ kind, value }: Ban): boolean => {
    if (kind === 'writer') return value === subject.writer;
    if (kind === 'network') return value === subject.network;
    if (kind === 'text') return value === subject.fingerprint;
    return linksTo(subject.hosts, value);
  };
  return [
    ...others.filter((ban) => live(ban) && is(ban)),
    ...termsIn(words, `${subject.name}\n${subject.text}`, nowMs).map(({ ban }) => ban),
  ].toSorted((a, b) => Number(b.action === 'reject') - Number(a.action === 'reject'));
}

/** The words of one version of the bans, as a list that `termsIn` folds once. */
const known = new WeakMap<readonly Ban[], ReturnType<typeof sortedAnew>>();

function sorted(bans: readonly Ban[]): ReturnType<typeof sortedAnew> {
  const before = known.get(bans);
  if (before) return before;
  const lists = sortedAnew(bans);
  known.set(bans, lists);
  return lists;
}

const sortedAnew = (bans: readonly Ban[]) => ({
  others: bans.filter(({ kind }) => kind !== 'word'),
  words: bans.filter(({ kind }) => kind === 'word').map((ban) => ({ term: ban.value, expiresAt: ban.expiresAt, ban })),
});

const ABOUT: Record<Ban['kind'], string> = {
  writer: 'The writer is',
  network: 'The network is',
  word: 'A word is',
  host: 'A link’s host is',
  text: 'This text is',
};

/**
 * An outcome under the bans that a comment falls under: never a milder one. The signals that say so come first, and weigh
 * nothing: a ban is a person's word, no evidence of spam. Authors and moderators of the site are not banned.
 */
export function underBans(outcome: Outcome, hit: readonly Ban[]): Outcome {
  if (hit.length === 0 || outcome.reasons.includes('author')) return outcome;
  const rejects = outcome.verdict === 'reject' || hit.some(({ action }) => action === 'reject');
  return {
    ...outcome,
    verdict: rejects ? 'reject' : 'hold',
    signals: [
      ...hit.map((ban) => ({ name: `banned-${ban.kind}`, weight: 0, words: wordsOf(ban) })),
      ...outcome.signals,
    ],
    reasons: ['banned', ...outcome.reasons.filter((reason) => reason !== 'clean' && reason !== 'trusted')],
  };
}

function wordsOf({ kind, by, expiresAt, reason }: Ban): string {
  const until =
    expiresAt === undefined ? 'until somebody lifts it' : `until ${new Date(expiresAt).toISOString().slice(0, 10)}`;
  return `${ABOUT[kind]} banned by ${by} ${until}: ${reason}`;
}
