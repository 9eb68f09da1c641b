import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { learn } from '../../services/spam-check/learn.ts';
import { assess } from '../../services/spam-check/model.ts';
import { EMPTY_SITE } from '../../services/spam-check/lesson.ts';
import { chanceOf, nameOf, remark } from '../../test/faults/chance.ts';
import { localAssessor } from './assessor.ts';

const chance = chanceOf(7);
const comments = Array.from({ length: 400 }, (_, n) => ({ text: remark(chance), author: nameOf(n) }));
const taught = [0, 1, 2, 3].reduce(
  (site, n) =>
    learn(site, {
      decisionId: `01J${String(n).padStart(23, '0')}`,
      commentId: `c${n}`,
      by: 'ann',
      text: comments[n]?.text ?? '',
      axis: 'spam',
      label: 1,
    }),
  EMPTY_SITE,
);
/** Two sites in turn, asked as a busy pipeline asks: many before the first answer. */
const ask = (opinionOf: ReturnType<typeof localAssessor>) =>
  Promise.all(comments.map((comment, n) => opinionOf(comment, n % 2 ? taught : undefined)));
const expected = comments.map((comment, n) => assess(comment, n % 2 ? taught : undefined));

it('gives the same opinions at any pace, each to the comment that it is about', async () => {
  const opinionOf = localAssessor();
  expect(await ask(opinionOf)).toEqual(expected);
  // The thread is up now.
  await expect.poll(() => ask(opinionOf)).toEqual(expected);
});

it('goes on alone when its thread does not come up', async () => {
  const opinionOf = localAssessor(new URL('data:text/javascript,throw new Error("no thread today")'));
  for (let round = 0; round < 3; round++) {
    expect(await ask(opinionOf)).toEqual(expected);
    await new Promise((done) => setTimeout(done, 100));
  }
});

it('lets its process end: a command that asked much is over when its work is', async () => {
  const script = `
    const { localAssessor } = await import(${JSON.stringify(new URL('./assessor.ts', import.meta.url).href)});
    const opinionOf = localAssessor();
    for (let round = 0; round < 100; round++) {
      await Promise.all(Array.from({ length: 150 }, (_, n) => opinionOf({ text: 'A remark, number ' + n })));
      await new Promise((done) => setTimeout(done, 25));
    }
    console.log('done');`;
  // A file: a script from --eval ends by itself even where this one would not.
  const file = join(mkdtempSync(join(tmpdir(), 'sluice-assessor-')), 'ask.mjs');
  writeFileSync(file, script);
  const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 20_000 });
  expect(stdout).toBe('done\n');
});
