import { timingSafeEqual } from 'node:crypto';

export const ORIGIN_HEADER = 'x-sluice-origin';

/**
 * The authoriser of the HTTP API: lets through what carries the secret that only CloudFront adds.
 *
 * API Gateway remembers the answer for an hour by the header's value, and refuses requests without it by itself, so it
 * runs about once an hour.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
 */
export function gateOf(secret: () => Promise<string>) {
  return async (event: { headers?: Record<string, string | undefined> }): Promise<{ isAuthorized: boolean }> => {
    const given = Buffer.from(event.headers?.[ORIGIN_HEADER] ?? '');
    const wanted = Buffer.from(await secret());
    return { isAuthorized: given.length === wanted.length && timingSafeEqual(given, wanted) };
  };
}
