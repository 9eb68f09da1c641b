import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../../shared/ports.ts';
import { documentClient, dynamoTable } from '../adapters/table.ts';
import type { Environment } from '../environment.ts';
import { CLIENT } from './config.ts';

export const table = ({ table }: Environment, clock: Clock) =>
  dynamoTable(documentClient(new DynamoDBClient(CLIENT)), { tableName: table!, clock });
