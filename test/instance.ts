import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { openInstance, type Instance } from '../infra/local/instance.ts';
import { readSettings } from '../infra/local/settings.ts';

export const ADMIN_PASSWORD = 'a-password-for-tests';

export type TestInstance = Instance & {
  folder: string;
  /** Calls the door as `client`; a body is sent as JSON. */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: any; headers: Headers }>;
  /** Resolves once nothing waits in the intake. */
  quiet(): Promise<void>;
  /** Signs in as admin; a bearer header. */
  asAdmin(): Promise<Record<string, string>>;
  end(): Promise<void>;
};

/** The whole product on a folder of its own, without a socket. */
export async function testInstance(env: Record<string, string> = {}, { demo = true } = {}): Promise<TestInstance> {
  const folder = env.SLUICE_DATA ?? mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const settings = readSettings(
    {
      PORT: '0',
      SLUICE_AWS_PORT: 'off',
      SLUICE_RATE_LIMIT: 'off',
      SLUICE_ADMIN_PASSWORD: ADMIN_PASSWORD,
      ...env,
      SLUICE_DATA: folder,
    },
    '/nonexistent',
  );
  const instance = await openInstance(settings, { log: pino({ level: 'silent' }), demo });
  const call: TestInstance['call'] = async (method, path, body, headers = {}) => {
    const answer = await instance.fetch(
      new Request(`http://127.0.0.1${path}`, {
        method,
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    );
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      body: (answer.headers.get('content-type') ?? '').includes('json') ? JSON.parse(text) : text,
    };
  };
  return {
    ...instance,
    folder,
    call,
    async quiet() {
      for (let look = 0; look < 500; look++) {
        const { queues } = (await call('GET', '/health')).body as {
          queues: { intake: { depth: number; inFlight: number } };
        };
        if (queues.intake.depth + queues.intake.inFlight === 0) return;
        await new Promise((done) => setTimeout(done, 20));
      }
      throw new Error('the intake never ran dry');
    },
    async asAdmin() {
      const { body } = await call('POST', '/v1/moderation/sessions', { user: 'admin', password: ADMIN_PASSWORD });
      return { authorization: `Bearer ${(body as { token: string }).token}` };
    },
    async end() {
      await instance.stop();
      if (!env.SLUICE_DATA) rmSync(folder, { recursive: true, force: true });
    },
  };
}
