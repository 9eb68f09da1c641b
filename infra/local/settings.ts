import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { SluiceError } from '../../shared/errors.ts';

const port = z.coerce.number().int().min(0).max(65_535);

const Settings = z.object({
  PORT: port.default(8787),
  HOST: z.string().min(1).default('127.0.0.1'),
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  SLUICE_DATA: z.string().min(1).default('./.sluice'),
  SLUICE_ADMIN_PASSWORD: z.string().min(1).optional(),
  SLUICE_AWS_PORT: z.union([z.literal('off'), port]).default(8788),
  SLUICE_AWS_KEY: z
    .string()
    .regex(/^[A-Za-z0-9]{4,128}:\S{8,}$/, 'id:secret')
    .optional(),
  SLUICE_TRUST_PROXY: z
    .string()
    .refine(
      (text) =>
        /^\d{1,2}$/.test(text) ||
        text.split(',').every((part) => ipaddr.isValid(part.trim()) || ipaddr.isValidCIDR(part.trim())),
      {
        error: 'a number of hops, or addresses (CIDR too) with commas between',
      },
    )
    .optional(),
  SLUICE_RATE_LIMIT: z.enum(['on', 'off']).default('on'),
  SLUICE_HISTORY_MB: z.coerce.number().min(1).max(100_000).default(64),
  AKISMET_KEY: z
    .string()
    .regex(/^[A-Za-z0-9]{6,64}$/, 'a key from akismet.com')
    .optional(),
  AKISMET_URL: z.url({ protocol: /^https?$/ }).optional(),
  BEDROCK_KEY: z.string().min(10).optional(),
  BEDROCK_MODEL: z.string().min(3).default('anthropic.claude-3-5-haiku-20241022-v1:0'),
  BEDROCK_URL: z.url({ protocol: /^https?$/ }).optional(),
  AWS_REGION: z
    .string()
    .regex(/^[a-z0-9-]{4,30}$/)
    .default('us-east-1'),
  AWS_ACCESS_KEY_ID: z.string().optional(),
  AWS_SECRET_ACCESS_KEY: z.string().optional(),
  AWS_SESSION_TOKEN: z.string().optional(),
  SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  MAIL_FROM: z.email().optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});
export type Settings = Readonly<z.infer<typeof Settings>>;

/** Reads the settings once, from the environment over `.env`. Throws `Config.Invalid` naming all that is wrong. */
export function readSettings(env: NodeJS.ProcessEnv, dotenv = '.env'): Settings {
  const file = existsSync(dotenv) ? parseDotenv(readFileSync(dotenv, 'utf8')) : {};
  const given = Object.fromEntries(Object.entries({ ...file, ...env }).filter(([, value]) => value !== ''));
  const read = Settings.safeParse(given);
  if (read.success) return Object.freeze(read.data);
  throw new SluiceError(
    'Config.Invalid',
    read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'),
    { hint: 'set them in the environment or .env', cause: read.error },
  );
}

function parseDotenv(text: string): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=\s*(.*?)\s*$/.exec(line);
    if (match) settings[match[1] as string] = (match[2] as string).replace(/^(["'])(.*)\1$/, '$2');
  }
  return settings;
}

/** The 32 bytes that all keys of this instance derive from: made once, kept beside the data, readable by its owner alone. */
export function rootKeyOf(folder: string): Buffer {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'root.key');
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' });
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64url');
  if (key.length !== 32) {
    throw new SluiceError('Config.Invalid', `${file} does not hold a key`, {
      hint: 'restore it from the backup of this folder',
    });
  }
  return key;
}

/** Who may call the AWS-compatible endpoint: as set, else made once and kept beside the data, for its owner alone. */
export function awsKeyOf(folder: string, set?: string): { id: string; secret: string } {
  const file = join(folder, 'aws.key');
  if (set === undefined && !existsSync(file)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // As AWS makes them: 20 characters, and 40.
    const id = `AKIA${randomBytes(10).toString('hex').slice(0, 16).toUpperCase()}`;
    writeFileSync(file, `${id}:${randomBytes(30).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  }
  const text = set ?? readFileSync(file, 'utf8').trim();
  const [id = '', secret = ''] = text.split(/:(.*)/s, 2);
  if (id === '' || secret === '') {
    throw new SluiceError('Config.Invalid', `${file} does not hold id:secret`, {
      hint: 'delete it, and it is made again',
    });
  }
  return { id, secret };
}
