/** What describes the API: made once, at synth, and served as files. */
export const DESCRIPTIONS: readonly string[] = ['/v1/openapi.json', '/v1/events.json'];
