import { SluiceError, type ErrorCode } from '../../../shared/errors.ts';

/**
 * What may succeed when it is sent again, by the names that the services give it.
 *
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
 */
const PASSING = new Set([
  'InternalFailure',
  'InternalException',
  'InternalServerError',
  'KmsThrottled',
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionConflictException',
  'TransactionInProgressException',
]);

/** Node's words for a connection that did not come about, broke, or gave no answer in time. */
const BROKEN = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'TimeoutError',
]);

type Thrown = { name?: string; code?: string; $metadata?: { httpStatusCode?: number; attempts?: number } };

export const nameOf = (cause: unknown): string => (cause as Thrown | null)?.name ?? 'Error';

/** No answer came, so nobody knows whether the request was carried out. */
export function isUnanswered(cause: unknown): boolean {
  const { name, code, $metadata } = (cause ?? {}) as Thrown;
  return $metadata?.httpStatusCode === undefined && (BROKEN.has(code ?? '') || BROKEN.has(name ?? ''));
}

/** The same request may succeed later. */
export function isPassing(cause: unknown): boolean {
  const { name, $metadata } = (cause ?? {}) as Thrown;
  return PASSING.has(name ?? '') || ($metadata?.httpStatusCode ?? 0) >= 500 || isUnanswered(cause);
}

/** How often the SDK sent it; more than once, an answer may be about our own first try. */
export const attemptsOf = (cause: unknown): number => (cause as Thrown | null)?.$metadata?.attempts ?? 1;

/** What passes becomes `busy`; anything else (a permission, a table that is not there) is ours to mend: `Internal.Bug`. */
export function faultOf(service: string, busy: ErrorCode, cause: unknown): SluiceError {
  if (cause instanceof SluiceError) return cause;
  return isPassing(cause)
    ? new SluiceError(busy, `${service} answered ${nameOf(cause)}`, { hint: 'send it again a little later', cause })
    : new SluiceError('Internal.Bug', `${service} refused the request: ${nameOf(cause)}`, {
        hint: 'compare the permissions and the environment of this function with infra/topology.ts',
        cause,
      });
}

export type Pause = (ms: number) => Promise<void>;

export const pause: Pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Exponential, full jitter, capped.
 *
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export const backoffMs = (attempt: number, baseMs = 50, capMs = 1000): number =>
  Math.random() * Math.min(capMs, baseMs * 2 ** attempt);
