import { expect, it } from 'vitest';
import { DEFAULT_POLICY } from '../../shared/policy.ts';
import { DEFAULT_THRESHOLDS } from './thresholds.ts';

it('gives a new site the thresholds that the data gave', () => {
  expect(DEFAULT_POLICY).toMatchObject(DEFAULT_THRESHOLDS);
});
