import { describe, expect, it } from 'vitest';
import type { Ban } from '../../shared/bans.ts';
import { bansOn, underBans, type Banned } from './bans.ts';
import type { Outcome } from './judge.ts';

const ban = (some: Partial<Ban>): Ban => ({
  id: '1',
  kind: 'word',
  value: 'casino',
  action: 'hold',
  reason: 'advertising',
  by: 'ann',
  at: 0,
  ...some,
});
const COMMENT: Banned = {
  writer: 'w1',
  network: 'n1',
  name: 'Ada',
  text: 'Come to my C4SINO tonight',
  hosts: ['shop.spam.example'],
  fingerprint: 'f1',
};

describe('a comment falls under a ban', () => {
  it.each<[string, Partial<Ban>, boolean]>([
    ['of its writer', { kind: 'writer', value: 'w1' }, true],
    ['of another writer, not', { kind: 'writer', value: 'w2' }, false],
    ['of its network', { kind: 'network', value: 'n1' }, true],
    ['of its text', { kind: 'text', value: 'f1' }, true],
    ['of a word that it has, also in disguise', { kind: 'word', value: 'casino' }, true],
    ['of a word that is only part of one of its own, not', { kind: 'word', value: 'night' }, false],
    ['of a host above the one that it links to', { kind: 'host', value: 'https://www.spam.example/' }, true],
    ['of a host that only ends alike, not', { kind: 'host', value: 'am.example' }, false],
    ['that has ended, not', { kind: 'writer', value: 'w1', expiresAt: 1000 }, false],
    ['that ends later', { kind: 'writer', value: 'w1', expiresAt: 1001 }, true],
    ['of a word that has ended, not', { kind: 'word', value: 'casino', expiresAt: 1000 }, false],
  ])('%s', (_sentence, some, falls) => {
    expect(bansOn(COMMENT, [ban(some)], 1000)).toHaveLength(falls ? 1 : 0);
  });

  it('and without a network under no ban of one', () => {
    const { network: _none, ...unknown } = COMMENT;
    expect(bansOn(unknown, [ban({ kind: 'network', value: 'n1' })], 0)).toEqual([]);
  });
});

const outcome = (some: Partial<Outcome> = {}): Outcome => ({
  verdict: 'publish',
  score: 0.1,
  signals: [],
  reasons: ['clean'],
  ...some,
});

describe('a verdict under a ban', () => {
  it('is at least what the ban says, and tells who banned, until when and why', () => {
    const until = Date.UTC(2026, 11, 24);
    const held = underBans(outcome(), [ban({ expiresAt: until })]);
    expect(held).toMatchObject({ verdict: 'hold', reasons: ['banned'], score: 0.1 });
    expect(held.signals[0]?.words).toBe('A word is banned by ann until 2026-12-24: advertising');
    expect(underBans(outcome(), [ban({ action: 'reject' })]).verdict).toBe('reject');
  });

  it('is never milder than without', () => {
    expect(underBans(outcome({ verdict: 'reject', reasons: ['score'] }), [ban({})])).toMatchObject({
      verdict: 'reject',
      reasons: ['banned', 'score'],
    });
  });

  it('is that of the strictest of several', () => {
    const bans = [ban({ reason: 'wait' }), ban({ kind: 'writer', value: 'w1', action: 'reject', reason: 'out' })];
    const hit = bansOn(COMMENT, bans, 0);
    expect(hit[0]?.reason).toBe('out');
    expect(underBans(outcome(), hit).verdict).toBe('reject');
  });

  it('spares the authors of the site', () => {
    expect(underBans(outcome({ reasons: ['author'] }), [ban({ action: 'reject' })]).verdict).toBe('publish');
  });
});
