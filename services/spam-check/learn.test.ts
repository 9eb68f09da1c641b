import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { learn } from './learn.ts';
import { assess, explain } from './model.ts';
import { EMPTY_SITE, LESSONS, inForce, lessonOf, takeBack, unlearn, unlearnPerson } from './lesson.ts';
import type { Example } from './learn.ts';
import type { SiteWeights } from './lesson.ts';

const taught = (examples: readonly Example[], from: SiteWeights = EMPTY_SITE) =>
  examples.reduce((site, example) => learn(site, example), from);
const id = (n: number) => `01J${String(n).padStart(23, '0')}`;
const lesson = (n: number, text: string, label: 0 | 1, by = 'ann'): Example => ({
  decisionId: id(n),
  commentId: `c${n}`,
  by,
  text,
  axis: 'spam',
  label,
});

describe('what a decision teaches', () => {
  it.each([
    [
      { action: 'spam', from: 'published' },
      { axis: 'spam', label: 1 },
    ],
    [
      { action: 'publish', from: 'held' },
      { axis: 'spam', label: 0 },
    ],
    [
      { action: 'restore', from: 'rejected' },
      { axis: 'spam', label: 0 },
    ],
    [
      { action: 'restore', from: 'spam' },
      { axis: 'spam', label: 0 },
    ],
    [
      { action: 'reject', reason: 'abuse', from: 'held' },
      { axis: 'toxicity', label: 1 },
    ],
    [{ action: 'reject', reason: 'off-topic', from: 'held' }, undefined],
    [{ action: 'reject', from: 'held' }, undefined],
    [{ action: 'restore', from: 'removed' }, undefined],
    [{ action: 'remove', reason: 'abuse', from: 'published' }, undefined],
    [{ action: 'keep', from: 'published' }, undefined],
    [{ action: 'hold', from: 'published' }, undefined],
  ] as const)('%o teaches %o', (decision, expected) => {
    expect(lessonOf(decision)).toEqual(expected);
  });
});

describe('learning', () => {
  it('leaves a site without decisions as the model judges it', () => {
    const comment = { text: 'Selling fresh mangoes, order now' };
    expect(assess(comment, EMPTY_SITE)).toEqual(assess(comment));
  });
  it('moves what is like the lessons, by a few decisions, and hardly what is not', () => {
    const site = taught([
      ...[0, 1, 2, 3].map((n) => lesson(n, `Enrol in our glassblowing masterclass, batch ${n} starts soon`, 1)),
      ...[4, 5, 6, 7].map((n) => lesson(n, `The second chapter of the kiln series helped me, question ${n}`, 0)),
    ]);
    const like = { text: 'Our glassblowing masterclass has a new batch, enrol' };
    const unlike = { text: 'I think the tests should run before the deploy.' };
    expect(assess(like, site).logOdds).toBeGreaterThan(assess(like).logOdds + 0.3);
    expect(Math.abs(assess(unlike, site).logOdds - assess(unlike).logOdds)).toBeLessThan(0.5);
    expect(explain(like, site).signals.map(({ name }) => name)).toContain('site-learning');
  });

  const words = fc.constantFrom('kiln', 'glass', 'offer', 'batch', 'thanks', 'why', 'cheap', 'order', 'glaze');
  const text = fc.array(words, { minLength: 1, maxLength: 6 }).map((list) => list.join(' '));
  const examples = fc.uniqueArray(
    fc.record({
      decisionId: fc.integer({ min: 0, max: 999 }).map(id),
      commentId: fc.constantFrom('c1', 'c2', 'c3', 'c4'),
      by: fc.constantFrom('ann', 'bob', 'cy'),
      text,
      axis: fc.constantFrom<('spam' | 'toxicity')[]>('spam', 'toxicity'),
      label: fc.constantFrom<(0 | 1)[]>(0, 1),
    }),
    { selector: (e) => e.decisionId, maxLength: 12 },
  );
  it('depends on the set of lessons: neither on order nor on repetition', () => {
    fc.assert(
      fc.property(examples, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (list, order) => {
        const shuffled = list
          .map((e) => ({ e, at: order.next().value! }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ e }) => e);
        expect(taught([...shuffled, ...list])).toEqual(taught(list));
      }),
      { numRuns: 50 },
    );
  });
  it('is taken back exactly: one decision, or all that one person taught', () => {
    fc.assert(
      fc.property(examples, text, (list, probe) => {
        const site = taught(list);
        const without = (keep: (e: Example) => boolean) => taught(list.filter(keep));
        for (const { decisionId } of list)
          expect(unlearn(site, decisionId)).toEqual(without((e) => e.decisionId !== decisionId));
        const noBob = takeBack(site, 'bob', id(0), id(999));
        expect(noBob.lessons).toEqual(without((e) => e.by !== 'bob').lessons);
        // Events of before come again, or late: they teach nothing.
        expect(taught(list, noBob)).toEqual(noBob);
        // Whoever is only to start afresh teaches again.
        expect(taught(list, unlearnPerson(site, 'bob'))).toEqual(site);
        expect(assess({ text: probe }, noBob)).toEqual(
          assess(
            { text: probe },
            without((e) => e.by !== 'bob'),
          ),
        );
      }),
      { numRuns: 50 },
    );
  });
  it('leaves what the same person taught before and after', () => {
    const site = taught([1, 2, 3].map((n) => lesson(n, `batch ${n}`, 1)));
    const after = takeBack(site, 'ann', id(2), id(2));
    expect(after.lessons.map((left) => left.id)).toEqual([id(1), id(3)]);
    expect(learn(after, lesson(4, 'batch 4', 1)).lessons).toHaveLength(3);
    expect(learn(after, { ...lesson(2, 'batch 2', 1), by: 'bob' }).lessons).toHaveLength(3);
  });
  it('counts the newest of several decisions about one comment, in whatever order they came', () => {
    const wrong = { ...lesson(1, 'A kiln question', 1), commentId: 'same' };
    const mended = { ...lesson(2, 'A kiln question', 0), commentId: 'same' };
    for (const site of [taught([wrong, mended]), taught([mended, wrong])]) {
      expect(inForce(site.lessons, 'spam').map(({ label }) => label)).toEqual([0]);
      expect(inForce(unlearn(site, id(2)).lessons, 'spam').map(({ label }) => label)).toEqual([1]);
    }
  });
  it('does not follow a name: another comment of somebody called alike is judged as before', () => {
    const site = taught([1, 2, 3].map((n) => ({ ...lesson(n, `Enrol in batch ${n}`, 1), author: 'Kim Ashgrove' })));
    const comment = { text: 'The deploy failed for me too.', author: 'Kim Ashgrove' };
    expect(assess(comment, site).logOdds).toBeCloseTo(assess(comment).logOdds, 6);
  });
  it('stays under 64 KB however much and whoever teaches, and survives JSON', () => {
    let site = EMPTY_SITE;
    for (let n = 0; n < 2 * LESSONS.spam + 40; n++) {
      const text = Array.from({ length: 40 }, (_, i) => `word${n * 40 + i}`).join(' ');
      site = learn(site, {
        decisionId: `${id(n)}-${'x'.repeat(200)}`,
        commentId: id(n),
        by: 'someone@'.repeat(50),
        text,
        axis: n % 5 ? 'spam' : 'toxicity',
        label: n % 2 ? 1 : 0,
      });
    }
    const json = JSON.stringify(site);
    expect(json.length).toBeLessThan(64_000);
    const comment = { text: 'word1601 word1602' };
    expect(assess(comment, JSON.parse(json) as SiteWeights)).toEqual(assess(comment, site));
  });
  it('keeps abuse out of spam', () => {
    const site = taught([{ ...lesson(1, 'you absolute walnut', 1), axis: 'toxicity' }]);
    const comment = { text: 'you absolute walnut' };
    expect(assess(comment, site).score).toBe(assess(comment).score);
  });
});
