/** What the Resource of a Task says about it: which events tell of it, and how it is answered. */
export type Resource = {
  arn: string;
  kind: 'lambda' | 'activity' | 'service';
  /** Service integrations: `lambda` and `invoke`, `aws-sdk:s3` and `getObject`. */
  service: string;
  action: string;
  pattern: 'request' | 'token' | 'sync';
};

/** Reads a Resource ARN. Anything that is no service integration or activity counts as a Lambda function. */
export function parseResource(arn: string): Resource {
  const integration = /^arn:[^:]*:states:[^:]*:[^:]*:(?!activity:)(.+):([^:.]+)((?:\.[A-Za-z]+(?::2)?)?)$/.exec(arn);
  if (integration) {
    const [, service = '', action = '', suffix = ''] = integration;
    const pattern = suffix === '.waitForTaskToken' ? 'token' : suffix.startsWith('.sync') ? 'sync' : 'request';
    return { arn, kind: 'service', service, action: `${action}${suffix}`, pattern };
  }
  const kind = /^arn:[^:]*:states:[^:]*:[^:]*:activity:/.test(arn) ? 'activity' : 'lambda';
  return { arn, kind, service: kind, action: arn, pattern: kind === 'activity' ? 'token' : 'request' };
}
