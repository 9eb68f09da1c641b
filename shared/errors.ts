/**
 * Every fault that Sluice names: its HTTP status, and whether the same call may succeed later.
 *
 * The code is public and stable: the same word stands in TypeScript, ASL (`ErrorEquals`), logs and problem details.
 */
export const ERRORS = {
  'Request.Malformed': { status: 400, retry: false, title: 'The request is not well formed' },
  'Request.Invalid': { status: 422, retry: false, title: 'The request does not fit' },
  'Request.TooLarge': { status: 413, retry: false, title: 'The request is too large' },
  'Request.MediaType': { status: 415, retry: false, title: 'The media type is not supported' },
  'Request.TooMany': { status: 429, retry: true, title: 'Too many requests' },
  'Request.Precondition': { status: 412, retry: false, title: 'The document changed since it was read' },
  'Request.NotFound': { status: 404, retry: false, title: 'There is nothing here' },
  'Request.Foreign': { status: 403, retry: false, title: 'The form was sent from another site' },
  'Request.Method': { status: 405, retry: false, title: 'The method is not supported here' },
  'Request.KeyReused': { status: 422, retry: false, title: 'The Idempotency-Key was used with another body' },
  'Session.Required': { status: 401, retry: false, title: 'Sign in first' },
  'Session.Locked': { status: 429, retry: true, title: 'Too many failed sign-ins' },
  'Session.Forbidden': { status: 403, retry: false, title: 'Your role does not allow this' },
  'Capability.Refused': { status: 403, retry: false, title: 'The capability does not open this comment' },
  'Site.Unknown': { status: 404, retry: false, title: 'There is no such site' },
  'Comment.Unknown': { status: 404, retry: false, title: 'There is no such comment' },
  'Comment.NotYet': { status: 503, retry: true, title: 'The comment is not stored yet' },
  'Comment.Malformed': { status: 422, retry: false, title: 'The event does not fit its schema' },
  'Comment.IdTaken': { status: 409, retry: false, title: 'The id belongs to another comment' },
  'Comment.Conflict': { status: 409, retry: false, title: 'The comment changed meanwhile' },
  'Comment.Closed': { status: 409, retry: false, title: 'The comment can no longer be changed' },
  'Comment.Waits': { status: 409, retry: false, title: 'The comment waits for a person' },
  'Parent.Unknown': { status: 422, retry: true, title: 'The parent comment is not known yet' },
  'Thread.Closed': { status: 409, retry: false, title: 'The thread is closed' },
  'Store.Busy': { status: 503, retry: true, title: 'The store is busy' },
  'Bus.Refused': { status: 503, retry: true, title: 'The bus did not take the event' },
  'Queue.TooLarge': { status: 413, retry: false, title: 'The message is larger than its queue allows' },
  'Mail.Transient': { status: 503, retry: true, title: 'The mail server asks to try later' },
  'Mail.Refused': { status: 502, retry: false, title: 'The mail server refused the message' },
  'Mail.Uncertain': { status: 502, retry: false, title: 'The mail may or may not have been taken' },
  'Webhook.Refused': { status: 502, retry: false, title: 'A webhook was refused' },
  'Workflow.TokenStale': { status: 410, retry: false, title: 'The task token is no longer waited for' },
  'Workflow.Unknown': { status: 404, retry: false, title: 'There is no such workflow or execution' },
  'Definition.Invalid': { status: 400, retry: false, title: 'The definition is not valid' },
  'Pattern.Invalid': { status: 400, retry: false, title: 'The event pattern is not valid' },
  'Topology.Unsupported': { status: 500, retry: false, title: 'The topology asks for something this runtime lacks' },
  'Config.Invalid': { status: 500, retry: false, title: 'The settings are not valid' },
  'Import.Unreadable': { status: 422, retry: false, title: 'The file cannot be read' },
  'Internal.Bug': { status: 500, retry: false, title: 'Something went wrong here' },
} as const satisfies Record<string, { status: number; retry: boolean; title: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** The one error class. After JSON `instanceof` is gone: match `code`. */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  /** What the caller should change. */
  readonly hint: string;
  /** For requests: the fields that do not fit, as JSON Pointers (RFC 6901). */
  readonly fields: readonly FieldFault[];

  constructor(
    code: ErrorCode,
    message: string,
    { hint, cause, fields = [] }: { hint: string; cause?: unknown; fields?: readonly FieldFault[] },
  ) {
    super(message, { cause });
    this.code = code;
    this.name = code; // Lambda reports `name` as errorType: ErrorEquals matches it
    this.hint = hint;
    this.fields = fields;
  }
}

/**
 * `detail` is for who writes programs. What readers meet has a `kind` besides, which pages say in the reader's language, and
 * where it is about length, how long the field may be.
 */
export type FieldFault = { pointer: string; detail: string; kind?: FaultKind; most?: number };

export type FaultKind = 'empty' | 'long' | 'characters' | 'legible' | 'email' | 'url' | 'taken' | 'parent';
