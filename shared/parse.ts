import type { z } from 'zod';
import { SluiceError, type ErrorCode, type FieldFault } from './errors.ts';

/** Parses, or throws `code` with a JSON Pointer (RFC 6901) to each field that does not fit. */
export function parse<T>(schema: z.ZodType<T>, input: unknown, code: ErrorCode, hint = 'see the fields named'): T {
  const read = schema.safeParse(input);
  if (read.success) return read.data;
  const fields = read.error.issues.flatMap(faultsOf);
  const message = fields.map(({ pointer, detail }) => `${pointer || '/'}: ${detail}`).join('; ');
  throw new SluiceError(code, message.slice(0, 1000), { hint, fields });
}

function faultsOf(issue: z.core.$ZodIssue): FieldFault[] {
  const path = issue.path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  if (issue.code !== 'unrecognized_keys') return [{ pointer: path, detail: issue.message }];
  return issue.keys.map((key) => ({
    pointer: `${path}/${key.slice(0, 60).replaceAll('~', '~0').replaceAll('/', '~1')}`,
    detail: 'unknown field: remove it',
  }));
}
