import { expect, it } from 'vitest';
import { campaign } from './campaign.ts';

it('loses nothing and does nothing twice in ten kills under load', { timeout: 180_000 }, async () => {
  const report = await campaign({ runs: 10, seed: 7, patience: 'intake' });
  expect(report.faults).toEqual([]);
  expect(report.accepted).toBeGreaterThan(50);
  expect(report.statuses.published).toBeGreaterThan(10);
});
