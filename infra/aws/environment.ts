import { SluiceError } from '../../shared/errors.ts';

/** What a function reads from its environment, once, at the door. The stacks set it. */
export type Environment = {
  stage: string;
  region: string;
  publicUrl: string;
  logLevel: string;
  table: string | undefined;
  bus: string | undefined;
  queues: Readonly<Record<string, { url: string; maxMessageBytes: number }>>;
  workflows: Readonly<Record<string, string>>;
  secret: string | undefined;
  /** The name of the parameter with Akismet's key. */
  akismetKey: string | undefined;
  akismetUrl: string | undefined;
  bedrockModel: string | undefined;
  configurationSet: string | undefined;
  userPool: string | undefined;
  userClient: string | undefined;
  userDomain: string | undefined;
};

/** By their names in the environment; the stacks write them with the same names. */
export const VARIABLES = {
  stage: 'SLUICE_STAGE',
  publicUrl: 'PUBLIC_URL',
  table: 'SLUICE_TABLE',
  bus: 'SLUICE_BUS',
  queues: 'SLUICE_QUEUES',
  workflows: 'SLUICE_WORKFLOWS',
  secret: 'SLUICE_SECRET',
  akismetKey: 'SLUICE_AKISMET_KEY',
  akismetUrl: 'AKISMET_URL',
  bedrockModel: 'BEDROCK_MODEL',
  configurationSet: 'SLUICE_CONFIGURATION_SET',
  userPool: 'SLUICE_USER_POOL',
  userClient: 'SLUICE_USER_CLIENT',
  /** Where Cognito's pages are, without a trailing slash. */
  userDomain: 'SLUICE_USER_DOMAIN',
  logLevel: 'LOG_LEVEL',
} as const;

/** Throws `Config.Invalid` naming every variable that is missing or not JSON. */
export function environmentOf(env: NodeJS.ProcessEnv, needs: readonly ('table' | 'bus' | 'secret')[]): Environment {
  const faults: string[] = [];
  const json = <T>(name: string): T => {
    try {
      return JSON.parse(env[name] || '{}') as T;
    } catch {
      faults.push(`${name} is not JSON`);
      return {} as T;
    }
  };
  for (const need of needs) if (!env[VARIABLES[need]]) faults.push(`${VARIABLES[need]} is missing`);
  const read: Environment = {
    stage: env[VARIABLES.stage] ?? 'dev',
    region: env.AWS_REGION ?? 'us-east-1',
    publicUrl: env[VARIABLES.publicUrl] ?? '',
    logLevel: env[VARIABLES.logLevel] ?? 'info',
    queues: json(VARIABLES.queues),
    workflows: json(VARIABLES.workflows),
    table: env[VARIABLES.table],
    bus: env[VARIABLES.bus],
    secret: env[VARIABLES.secret],
    akismetKey: env[VARIABLES.akismetKey],
    akismetUrl: env[VARIABLES.akismetUrl],
    bedrockModel: env[VARIABLES.bedrockModel],
    configurationSet: env[VARIABLES.configurationSet],
    userPool: env[VARIABLES.userPool],
    userClient: env[VARIABLES.userClient],
    userDomain: env[VARIABLES.userDomain],
  };
  if (faults.length > 0) {
    throw new SluiceError('Config.Invalid', faults.join('; '), { hint: 'deploy the stacks again: they set these' });
  }
  return Object.freeze(read);
}
