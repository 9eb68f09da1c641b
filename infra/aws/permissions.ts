import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { FunctionSpec } from '../topology.ts';

const READ = ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'];
/** A transaction asks for the rights of its parts: there is no action of its own. */
const WRITE = ['dynamodb:ConditionCheckItem', 'dynamodb:DeleteItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'];

/** The ARNs behind the words of the topology. */
export type Arns = {
  table: string;
  indexes: readonly string[];
  bus: string;
  queue(name: string): string;
  workflow(name: string): string;
  secret: string;
  /** The parameter with Akismet's key, which may not be there. */
  akismetKey: string;
  /** Where the stage has one. */
  bedrockModel?: string;
  /** What mail may be sent as: the configuration set, and the sender's identity where one is set. */
  mail: readonly string[];
};

const allow = (actions: readonly string[], resources: readonly string[]) =>
  new PolicyStatement({ actions: [...actions], resources: [...resources] });

/** What `may` says, as IAM says it: named actions on named resources, no wildcard. */
export function statementsOf({ may }: Pick<FunctionSpec, 'may'>, arns: Arns): PolicyStatement[] {
  return [
    // Of the indexes only what reads them: nothing writes to an index.
    may.table && allow(may.table === 'write' ? [...READ, ...WRITE] : READ, [arns.table]),
    may.table && allow(['dynamodb:Query'], arns.indexes),
    may.putEvents && allow(['events:PutEvents'], [arns.bus]),
    may.send && allow(['sqs:SendMessage'], may.send.map(arns.queue)),
    may.start && allow(['states:StartExecution'], may.start.map(arns.workflow)),
    may.answer && allow(['states:SendTaskFailure', 'states:SendTaskSuccess'], may.answer.map(arns.workflow)),
    may.mail && allow(['ses:SendEmail'], arns.mail),
    may.secret && allow(['secretsmanager:GetSecretValue'], [arns.secret]),
    may.askOutside && allow(['ssm:GetParameter'], [arns.akismetKey]),
    may.askOutside && arns.bedrockModel && allow(['bedrock:InvokeModel'], [arns.bedrockModel]),
  ].filter((statement) => statement instanceof PolicyStatement);
}
