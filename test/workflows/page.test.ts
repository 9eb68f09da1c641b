import { readFileSync } from 'node:fs';
import aslValidator from 'asl-validator';
import { expect, it } from 'vitest';
import { topology } from '../../infra/topology.ts';
import { drawn, page } from './draw.ts';

/** Filled in, as it is deployed. */
const definitionOf = (file: string) =>
  JSON.parse(
    readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8').replaceAll(
      /\$\{(\w+)\}/g,
      'arn:aws:lambda:us-east-1:000000000000:function:$1',
    ),
  );

it.each(Object.entries(topology.workflows))('%s passes an ASL validator', (_name, { file }) => {
  const { isValid, errorsText } = aslValidator(definitionOf(file));
  expect(errorsText()).toBe('');
  expect(isValid).toBe(true);
});

it('the page shows the workflows as they are: after a change, run node test/workflows/draw.ts', () => {
  expect(page()).toContain('stateDiagram-v2');
  expect(page()).toBe(drawn());
});

it.each(Object.entries(topology.workflows))('the page explains each state of %s', (name, { file }) => {
  const part = page().split(`\n## ${name}\n`)[1]?.split('\n## ')[0] ?? '';
  const explained = [...part.matchAll(/^\| ([^|]+?) \|/gm)].map(([, state]) => state?.trim());
  expect(explained).toEqual(expect.arrayContaining(Object.keys(definitionOf(file).States)));
});
