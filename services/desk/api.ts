/** The moderation API as the desk calls it. */

export type Fault = { pointer: string; detail: string };

/** A problem detail (RFC 9457), or the network's failure as one. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string;
  readonly errors: readonly Fault[];
  readonly retryAfter: number | undefined;

  constructor(
    status: number,
    problem: Partial<{ code: string; detail: string; hint: string; errors: Fault[] }>,
    retryAfter?: number,
  ) {
    super(problem.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = problem.code ?? '';
    this.hint = problem.hint ?? '';
    this.errors = problem.errors ?? [];
    this.retryAfter = retryAfter;
  }

  /** The server was not reached, or asks to try later: the same call may succeed. */
  get passing(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

const TIMEOUT_MS = 15_000;
const TRIES = 6;

let csrf = '';
let signInAgain: () => Promise<void> = () => Promise.reject(new Error('no sign-in yet'));
let asking: Promise<void> | undefined;

export const setCsrf = (token: string): void => {
  csrf = token;
};

/** What to do when a session ended in the middle of the work: the call goes on after it. */
export const onSessionEnd = (ask: () => Promise<void>): void => {
  signInAgain = ask;
};

export type Sent = {
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Do not ask to sign in: the caller deals with 401. */
  quiet?: boolean;
};

export async function call<T>(method: string, path: string, sent: Sent = {}): Promise<T> {
  return (await callFull<T>(method, path, sent)).body;
}

export async function callFull<T>(
  method: string,
  path: string,
  sent: Sent = {},
): Promise<{ body: T; etag: string | null }> {
  const answer = await request(method, path, sent);
  if (answer.status === 401 && !sent.quiet) {
    asking ??= signInAgain().finally(() => {
      asking = undefined;
    });
    await asking;
    return await callFull(method, path, { ...sent, quiet: true });
  }
  const text = await answer.text();
  const json = /json/.test(answer.headers.get('content-type') ?? '');
  const body = json && text !== '' ? JSON.parse(text) : undefined;
  if (!answer.ok) {
    const retryAfter = Number(answer.headers.get('retry-after')) || undefined;
    throw new Problem(answer.status, body ?? {}, retryAfter);
  }
  return { body, etag: answer.headers.get('etag') };
}

async function request(method: string, path: string, { body, headers, signal }: Sent): Promise<Response> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await fetch(path, {
      method,
      credentials: 'same-origin',
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(method !== 'GET' && { 'x-csrf-token': csrf }),
        ...headers,
      },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, { code: 'Network', detail: 'offline' });
  }
}

/** Sends until the server has answered, under one Idempotency-Key: a retry of one's own click is no conflict. */
export async function callSurely<T>(
  method: string,
  path: string,
  body: unknown,
  onRetry?: (attempt: number) => void,
): Promise<T> {
  const headers = { 'idempotency-key': crypto.randomUUID() };
  for (let attempt = 1; ; attempt++) {
    try {
      return await call<T>(method, path, { body, headers });
    } catch (error) {
      if (!(error instanceof Problem) || !error.passing || attempt >= TRIES) throw error;
      onRetry?.(attempt);
      await new Promise((resolve) => setTimeout(resolve, Math.min(8000, 400 * 2 ** attempt)));
    }
  }
}

export const query = (fields: Record<string, string | number | undefined>): string => {
  const set = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '');
  return set.length > 0 ? `?${new URLSearchParams(set.map(([name, value]) => [name, String(value)])).toString()}` : '';
};
