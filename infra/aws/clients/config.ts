/**
 * One client each, made once an environment. The SDK keeps connections alive by itself; times are short because whoever
 * calls retries: https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/node-reusing-connections.html
 */
export const CLIENT = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 3000 },
} as const;
