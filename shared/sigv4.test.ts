import { expect, it } from 'vitest';
import { signedHeaders } from './sigv4.ts';

// From the Signature Version 4 test suite: get-vanilla and post-vanilla.
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const scope = { service: 'service', region: 'us-east-1', credentials, at: new Date('2015-08-30T12:36:00Z') };

it.each([
  ['GET', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  ['POST', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
])('signs %s as the test suite of AWS does', (method, signature) => {
  expect(signedHeaders({ method, url: new URL('https://example.amazonaws.com/') }, scope)).toEqual({
    'x-amz-date': '20150830T123600Z',
    authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
  });
});
