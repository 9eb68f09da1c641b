import { named } from '../names.ts';

/** What AWS itself does for a stage, by the command that does it for a data folder: one sentence, and what to type. */
export function insteadOf(command: string, stage: string): { why: string; what: string } | undefined {
  const pool = `$(aws cloudformation describe-stacks --stack-name ${named({ name: stage }, 'flow')} --query "Stacks[0].Outputs[?OutputKey=='UserPoolId'].OutputValue" --output text)`;
  const table = named({ name: stage }, 'table');
  const all: Record<string, { why: string; what: string } | undefined> = {
    'user add': {
      why: 'moderators of a stage are users of its Cognito pool',
      what: [
        `aws cognito-idp admin-create-user --user-pool-id ${pool} --username NAME --user-attributes Name=email,Value=ADDRESS`,
        `aws cognito-idp admin-add-user-to-group --user-pool-id ${pool} --username NAME --group-name admin   # or moderator`,
      ].join('\n'),
    },
    'user passwd': {
      why: 'passwords of a stage are kept by its Cognito pool',
      what: `aws cognito-idp admin-reset-user-password --user-pool-id ${pool} --username NAME`,
    },
    backup: {
      why: 'the table of a stage is backed up all the time: any second of the last 35 days can be restored',
      what: `aws dynamodb create-backup --table-name ${table} --backup-name NAME   # one to keep for longer`,
    },
    restore: {
      why: 'a table is restored into a new one, beside the one that serves',
      what: [
        `aws dynamodb restore-table-to-point-in-time --source-table-name ${table} --target-table-name ${table}-restored --restore-date-time TIME`,
        `SLUICE_TABLE=${table}-restored npm run sluice -- export FILE --contacts --site SITE --stage ${stage}`,
        `npm run sluice -- import FILE --site SITE --stage ${stage}   # what is missing is written, nothing else`,
      ].join('\n'),
    },
  };
  return all[command];
}
