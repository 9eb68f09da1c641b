import { secretOf } from './credentials.ts';
import { gateOf } from './gate.ts';
import { once } from './once.ts';

/** What Lambda runs: the secret is read once an environment. */
export const handler = gateOf(once(() => secretOf(process.env.SLUICE_SECRET ?? '')));
