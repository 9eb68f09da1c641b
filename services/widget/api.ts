import { retrySeconds } from './format.ts';

/** What the server answered. `status` 0: no answer came (offline, time-out). */
export type Answer<T> = { ok: boolean; status: number; data: T; problem: Problem; retryAfter: number };

/** RFC 9457. `errors` (or `fields`) points to each field that does not fit. */
export type Problem = {
  type?: string;
  title?: string;
  detail?: string;
  hint?: string;
  errors?: Fault[];
  fields?: Fault[];
};

type Fault = { pointer: string; detail: string };

const TIMEOUT_MS = 20_000;

/**
 * Calls the public API; never throws. No cookies travel.
 *
 * Reads revalidate by ETag in the browser's own cache: an `If-None-Match` of ours would cost a preflight each time.
 */
export async function call<T>(
  url: string | URL,
  { method = 'GET', body, headers = {} }: { method?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<Answer<T>> {
  let status = 0;
  let retryAfter = 0;
  let data = {};
  try {
    const response = await fetch(url, {
      method,
      headers: body ? { 'content-type': 'application/json', ...headers } : headers,
      ...(body && { body }),
      cache: 'no-cache',
      credentials: 'omit',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    status = response.status;
    retryAfter = retrySeconds(response.headers.get('retry-after'), Date.now(), 30);
    data = JSON.parse((await response.text()) || '{}');
  } catch {
    // An answer that broke off, or is not ours (a proxy's page), counts as none: it may be tried again.
    if (status < 400) status = 0;
  }
  return { ok: status >= 200 && status < 300, status, data: data as T, problem: data as Problem, retryAfter };
}
