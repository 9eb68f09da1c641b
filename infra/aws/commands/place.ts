import { createHash } from 'node:crypto';
import process from 'node:process';
import { GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';
import { pino } from 'pino';
import { doorOf } from '../../../services/door/door.ts';
import { doorRoutes } from '../../../services/door/routes.ts';
import { SluiceError } from '../../../shared/errors.ts';
import { serve } from '../../../shared/http.ts';
import type { Item, Ports, Table } from '../../../shared/ports.ts';
import { storeOf } from '../../../shared/store/comments.ts';
import { writerKey } from '../../../shared/store/keys.ts';
import { vaultOf } from '../../../shared/vault.ts';
import type { Door, Place, Verdict } from '../../commands/place.ts';
import { topology } from '../../topology.ts';
import { sqsQueue } from '../adapters/queue.ts';
import { readSecret } from '../adapters/secret.ts';
import { bus } from '../clients/bus.ts';
import { CLIENT } from '../clients/config.ts';
import { OWN_ENDPOINT } from '../clients/queues.ts';
import { table } from '../clients/table.ts';
import { portsOf } from '../entry.ts';
import { busName, named, STAGE_NAME } from '../names.ts';

/** How often verdicts are looked for. */
const LOOK_MS = 500;
const AT_ONCE = 100;

/**
 * A stage on AWS, with the credentials and the region that the AWS CLI would use (else us-east-1, as a deploy).
 *
 * Throws `Config.Invalid` when there is no such stage, or nobody to ask for it.
 */
export async function stagePlace(name: string): Promise<Place> {
  if (!STAGE_NAME.test(name)) {
    throw new SluiceError('Config.Invalid', `"${name}" is no stage`, {
      hint: 'a small letter, then letters or digits',
    });
  }
  const stage = { name };
  const region = await regionOf();
  // A table that was restored beside the one that serves is read by its own name.
  const tableName = process.env.SLUICE_TABLE || named(stage, 'table');
  // The clients read it there.
  process.env.AWS_REGION = region;
  const sqs = new SQSClient({ ...CLIENT, ...OWN_ENDPOINT });
  const ports = await portsOf(
    'sluice',
    {
      stage: name,
      region,
      // In links of the door's answers, which nobody follows here.
      publicUrl: `https://${named(stage, 'door')}.invalid`,
      logLevel: 'silent',
      table: tableName,
      bus: busName(stage),
      queues: {},
      workflows: {},
      secret: named(stage, 'root-key'),
      akismetKey: undefined,
      akismetUrl: undefined,
      bedrockModel: undefined,
      configurationSet: undefined,
      userPool: undefined,
      userClient: undefined,
      userDomain: undefined,
    },
    { table, bus },
    pino({ level: process.env.LOG_LEVEL ?? 'silent' }, pino.destination(2)),
  );
  await ports.table.get({ pk: 'SITES', sk: '-' }).catch((error: unknown) => {
    throw refusedBy(error, `${tableName} in ${region}`, name);
  });
  const credentials = await sqs.config.credentials();
  const root = await readSecret(named(stage, 'root-key'), credentials, {
    region,
    endpoint: process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? process.env.AWS_ENDPOINT_URL,
  });
  const vault = vaultOf(createHash('sha256').update(root).digest());
  const all: Ports = { ...ports, vault };

  const queue = async (queueName: string) => {
    const spec = topology.queues[queueName];
    if (!spec) {
      throw new SluiceError('Request.Invalid', `there is no queue ${queueName}`, { hint: 'see infra/topology.ts' });
    }
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: named(stage, queueName) }));
    return sqsQueue(sqs, { url: QueueUrl!, maxMessageBytes: spec.maxMessageBytes });
  };
  const door = doorHere(all);
  const { clock } = all;

  return {
    stored: (_need, work) =>
      work({
        table: all.table,
        vault,
        clock,
        async send(to, body, group) {
          await (await queue(to)).send(body, group === undefined ? {} : { group });
        },
        // Nothing but the table holds a text.
        async forgetTexts() {},
        stillHeld: `The table's backups (35 days), the archive of the bus (${topology.bus.archiveDays} days), and mail that was sent,`,
      }),

    pipeline: (work) => work({ ...door, verdicts: (tell) => watchVerdicts(all, tell) }),

    trial: (work) =>
      work({
        ...door,
        table: all.table,
        vault,
        clock,
        mailer: `by SES in ${region}`,
        remove: (site, ids, contact) => removeTrial(all, site, ids, contact),
      }),

    async doctor(say) {
      say(`stage       ${name} in ${region}`);
      say('root key    can be read');
      let well = true;
      for (const [queueName, { deadLetter }] of Object.entries(topology.queues)) {
        const { depth, inFlight, delayed } = await (await queue(queueName)).attributes();
        if (depth + inFlight + delayed === 0) continue;
        say(`queue       ${queueName}: ${depth} wait, ${inFlight} under way, ${delayed} for later`);
        // What stands in a queue of dead letters was not drained.
        if (!deadLetter) well = false;
      }
      return well;
    },
  };
}

async function regionOf(): Promise<string> {
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  return (
    AWS_REGION || AWS_DEFAULT_REGION || (await new SQSClient().config.region().catch(() => undefined)) || 'us-east-1'
  );
}

function refusedBy(error: unknown, what: string, stage: string): unknown {
  const { name } = ((error as { cause?: unknown }).cause ?? {}) as { name?: string };
  if (name === 'ResourceNotFoundException') {
    return new SluiceError('Config.Invalid', `there is no stage "${stage}": no table ${what}`, {
      hint: `deploy it (npx cdk deploy --all -c stage=${stage}), or set AWS_REGION to where it is`,
      cause: error,
    });
  }
  if (name === 'CredentialsProviderError') {
    return new SluiceError('Config.Invalid', 'there are no AWS credentials', {
      hint: 'set AWS_PROFILE, or sign in with the AWS CLI (aws login, aws configure)',
      cause: error,
    });
  }
  return new SluiceError('Config.Invalid', `the table ${what} could not be read: ${name ?? String(error)}`, {
    hint: 'check the credentials (aws sts get-caller-identity), and that they may read it',
    cause: error,
  });
}

/** The stage's door, in this process and without rate limits: what it takes goes onto the stage's bus. */
function doorHere(ports: Ports): Door {
  const app = serve(doorRoutes(doorOf(ports, { rateLimit: false })), {
    authenticate: async () => undefined,
    log: ports.log,
  });
  return {
    publicUrl: ports.publicUrl,
    fetch: async (request, client = '127.0.0.1') => app.fetch(request, { client }),
  };
}

/** Nobody here hears the stage's bus, so the comments themselves are looked at. */
function watchVerdicts({ table, clock }: Ports, tell: (id: string, verdict: Verdict) => void) {
  const watched = new Set<string>();
  const store = storeOf(table, clock);
  let looking = false;
  const look = async () => {
    for (const id of [...watched].slice(0, AT_ONCE)) {
      const status = (await store.get(id))?.status ?? 'received';
      if (status === 'received') continue;
      watched.delete(id);
      tell(id, status === 'published' || status === 'held' ? status : 'rejected');
    }
  };
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    // A look that failed is followed by the next one.
    void look()
      .catch(() => {})
      .finally(() => (looking = false));
  }, LOOK_MS);
  return { watch: (id: string) => void watched.add(id), stop: () => clearInterval(timer) };
}

/** By key: there is no scan. What it leaves (fingerprints, velocities) expires within days, under the test's own name. */
async function removeTrial(
  { table, clock }: Ports,
  site: string,
  ids: readonly string[],
  contact: string | undefined,
): Promise<void> {
  const store = storeOf(table, clock);
  const comments = (await Promise.all(ids.map((id) => store.get(id)))).filter((one) => one !== undefined);
  const partitions = new Set([
    ...ids.map((id) => `C#${id}`),
    ...comments.flatMap(({ thread, author }) => [`T#${site}#${thread}`, writerKey(site, author.key).pk]),
    ...(contact === undefined ? [] : [`K#${contact}`]),
    `S#${site}#threads`,
    `S#${site}`,
  ]);
  for (const pk of partitions) {
    for (const { sk } of await allIn(table, pk)) await table.write([{ delete: { pk, sk } }]);
  }
  await table.write([{ delete: { pk: 'SITES', sk: site } }]);
}

async function allIn(table: Table, pk: string): Promise<readonly Item[]> {
  const found: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await table.query({ pk, limit: 1000, ...(cursor && { cursor }) });
    found.push(...page.items);
    cursor = page.cursor;
  } while (cursor);
  return found;
}
