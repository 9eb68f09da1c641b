import type { App } from 'aws-cdk-lib';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { SluiceError } from '../../shared/errors.ts';
import { STAGE_NAME } from './names.ts';

/** What tells one deployment from another. All of it comes from `-c name=value`, and nothing but `stage` is ever needed. */
export type Stage = {
  /** Part of every name. */
  name: string;
  region: string;
  account?: string;
  /** The address that mail comes from; without it no mail leaves, and the desk says why. */
  sender?: string;
  /** Who is told of alarms and of the spend. */
  alarmEmail?: string;
  /** The id of a foundation model in the region, for sites whose policy asks a language model. */
  bedrockModel?: string;
  /** USD a month: a notification at 80 % and at 100 %. */
  budget: number;
  /** A name of one's own in front, with its certificate in us-east-1. */
  domain?: { name: string; certificateArn: string };
};

const KNOWN = ['stage', 'region', 'sender', 'alarmEmail', 'budget', 'domain', 'certificate', 'bedrockModel'];
/** https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html; inference profiles begin with `eu.` and such. */
const MODEL = /^(?!(?:us|eu|apac|global|us-gov|jp|au|ca)\.)[a-z0-9-]+\.[a-z0-9.:-]+$/;
const EMAIL = /^[^\s@<>"]{1,64}@[a-z0-9.-]+\.[a-z]{2,}$/i;

/** Reads the context, and says all that is wrong with it in one sentence (`Config.Invalid`). */
export function stageOf(app: App, env: NodeJS.ProcessEnv): Stage {
  const text = (name: string) => {
    const value: unknown = app.node.tryGetContext(name);
    return value === undefined || value === '' ? undefined : String(value);
  };
  const name = text('stage') ?? 'dev';
  const region = text('region') ?? env.CDK_DEFAULT_REGION ?? env.AWS_REGION ?? 'us-east-1';
  const account = env.CDK_DEFAULT_ACCOUNT;
  const [sender, alarmEmail, domain, certificate] = ['sender', 'alarmEmail', 'domain', 'certificate'].map(text);
  const bedrockModel = text('bedrockModel');
  const budget = Number(text('budget') ?? 50);

  const regions = RegionInfo.regions.map(({ name }) => name);
  const faults = [
    !STAGE_NAME.test(name) && `the stage "${name}" is not a lower-case letter followed by 1 to 11 letters or digits`,
    !regions.includes(region) && `the region "${region}" does not exist (us-east-1, eu-central-1 …)`,
    sender !== undefined && !EMAIL.test(sender) && `the sender "${sender}" is not an e-mail address`,
    alarmEmail !== undefined && !EMAIL.test(alarmEmail) && `alarmEmail "${alarmEmail}" is not an e-mail address`,
    bedrockModel !== undefined &&
      !MODEL.test(bedrockModel) &&
      `bedrockModel "${bedrockModel}" is not the id of a foundation model (inference profiles, which span regions, are not supported)`,
    !(budget > 0) && `the budget "${text('budget')}" is not an amount in USD`,
    (domain === undefined) !== (certificate === undefined) && 'domain and certificate go together',
    certificate !== undefined &&
      !certificate.startsWith('arn:aws:acm:us-east-1:') &&
      `the certificate "${certificate}" is not an ACM certificate in us-east-1`,
  ].filter((fault) => fault !== false);
  if (faults.length > 0) {
    throw new SluiceError('Config.Invalid', faults.join('; '), {
      hint: `set it with -c, for example: npx cdk synth -c stage=dev (known: ${KNOWN.join(', ')})`,
    });
  }
  return Object.freeze({
    name,
    region,
    budget,
    ...(account && { account }),
    ...(sender && { sender }),
    ...(alarmEmail && { alarmEmail }),
    ...(bedrockModel && { bedrockModel }),
    ...(domain && certificate && { domain: { name: domain, certificateArn: certificate } }),
  });
}
