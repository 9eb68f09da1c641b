import { SluiceError } from './errors.ts';

/** JSON.parse with our error. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SluiceError('Request.Malformed', `not JSON: ${String(cause).slice(0, 200)}`, {
      hint: 'send JSON',
      cause,
    });
  }
}
