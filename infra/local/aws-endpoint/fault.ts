/** An error as the service would send it: `code` is the shape's name, which SDKs make an exception of. */
export class AwsFault extends Error {
  readonly code: string;
  readonly status: number;
  /** SQS names its errors twice: once for clients that still expect the query protocol's codes. */
  readonly queryCode: string | undefined;

  constructor(
    code: string,
    message: string,
    { status = 400, queryCode }: { status?: number; queryCode?: string } = {},
  ) {
    super(message);
    this.name = this.code = code;
    this.status = status;
    this.queryCode = queryCode;
  }
}

/** One constraint that a member does not meet, in the words that all services of this protocol use. */
export const constraint = (member: string, value: unknown, rule: string): AwsFault =>
  new AwsFault(
    'ValidationException',
    `1 validation error detected: Value ${shown(value)} at '${member}' failed to satisfy constraint: Member must ${rule}`,
  );

function shown(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return `'${text.length > 200 ? `${text.slice(0, 200)}…` : text}'`;
}
