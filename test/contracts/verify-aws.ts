/**
 * `npm run verify:aws`: the contracts of the AWS adapters against what AWS_ENDPOINT_URL names, or, with `--account`, against
 * the account that the AWS CLI would use. It makes a table and queues of its own, and deletes them.
 */
import { spawnSync } from 'node:child_process';
import process from 'node:process';

const account = process.argv.includes('--account');
const endpoint = process.env.AWS_ENDPOINT_URL;
if (!endpoint && !account) {
  process.stderr.write(
    'AWS_ENDPOINT_URL is unset. Set it to an endpoint that speaks for AWS, or add --account to use your own account.\n',
  );
  process.exit(1);
}
const { status } = spawnSync('vitest', ['run', 'test/aws/contracts.test.ts'], {
  stdio: 'inherit',
  env: { ...process.env, ...(account && { SLUICE_VERIFY_ACCOUNT: '1' }) },
  shell: process.platform === 'win32',
});
process.exit(status ?? 1);
