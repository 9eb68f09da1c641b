import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compile } from './compile.ts';
import type { Json } from './types.ts';
import { type Mocks, runVirtually } from './virtual.ts';

const folder = process.env['SLUICE_TEST_DATA'];
const file = folder ? join(folder, 'recorded/asl.jsonl') : '';

type Case = {
  id: string;
  definition: Json;
  input: Json;
  mocks: Mocks;
  expect: { status: string; output?: Json; error?: string | null; cause?: string | null };
};

/** Times were masked in the recordings as `date`, which is no timestamp: these cannot be run again. */
const UNREPEATABLE = 4;

it.skipIf(!existsSync(file))(
  'agrees with runs recorded from the service (SLUICE_TEST_DATA unset: skipped)',
  async () => {
    const cases = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Case);
    const wrong: unknown[] = [];
    const causes: unknown[] = [];
    for (const { id, definition, input, mocks, expect: wanted } of cases) {
      let got;
      try {
        got = await runVirtually(compile(definition), { input, mocks });
      } catch (error) {
        got = { status: 'THROWN', cause: String(error) };
      }
      const { status, output, error } = got as { status: string; output?: Json; error?: string | null };
      const agrees =
        status === wanted.status &&
        (status === 'SUCCEEDED' ? same(output, wanted.output) : (error ?? null) === (wanted.error ?? null));
      if (!agrees) wrong.push({ id, wanted, got: { status, output, error, cause: got.cause } });
      else if (wanted.cause && !/<[^>]+>/.test(wanted.cause) && wanted.cause !== got.cause) {
        causes.push({ id, wanted: wanted.cause, got: got.cause });
      }
    }
    if (process.env['SLUICE_TEST_VERBOSE']) process.stderr.write(`${JSON.stringify({ wrong, causes }, null, 1)}\n`);
    expect(wrong.length).toBeLessThanOrEqual(UNREPEATABLE);
  },
);

const same = (a: unknown, b: unknown): boolean => {
  try {
    expect(a).toEqual(b);
    return true;
  } catch {
    return false;
  }
};
