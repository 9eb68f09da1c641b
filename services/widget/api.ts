/** What the server answered. `status` 0: no answer came (offline, time-out). `why`: its words for a refusal. */
export type Answer<T> = { ok: boolean; status: number; data: T & Problem; why: string; retryAfter: number };

/** RFC 9457. `errors` points to each field that does not fit. */
export type Problem = {
  type?: string;
  title?: string;
  detail?: string;
  hint?: string;
  errors?: { pointer: string; detail: string }[];
};

const TIMEOUT_MS = 20_000;
const DEFAULT_RETRY_S = 30;

/**
 * Calls the public API; never throws. No cookies travel.
 *
 * Reads revalidate by ETag in the browser's own cache: an `If-None-Match` of ours would cost a preflight each time.
 */
export async function call<T>(
  url: string,
  method = 'GET',
  body?: object,
  headers?: Record<string, string>,
): Promise<Answer<T>> {
  let status = 0;
  let ok = false;
  let retryAfter = 0;
  let data: Problem = {};
  try {
    const response = await fetch(url, {
      method,
      headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
      cache: 'no-cache',
      credentials: 'omit',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    ({ status } = response);
    retryAfter = Number(response.headers.get('retry-after')) || DEFAULT_RETRY_S;
    data = JSON.parse((await response.text()) || '{}');
    ({ ok } = response);
  } catch {
    // An answer that broke off, or is not ours (a proxy's page), counts as none: it may be tried again.
    if (status < 400) status = 0;
  }
  const { title = `HTTP ${status}`, detail = title, hint = '' } = data;
  return { ok, status, data: data as T & Problem, why: `${detail} ${hint}`, retryAfter };
}
