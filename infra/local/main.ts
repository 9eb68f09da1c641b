import { enableCompileCache } from 'node:module';
import process from 'node:process';

enableCompileCache();

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`Sluice needs Node 24; this is ${process.version}. Install Node 24 and run npm ci again.\n`);
  process.exit(1);
}

const { readSettings } = await import('./settings.ts');
const { openInstance } = await import('./instance.ts');
const { SluiceError } = await import('../../shared/errors.ts');

/** Made at a first start alone: shown also when that start fails afterwards. */
let password: readonly string[] = [];

try {
  const settings = readSettings(process.env);
  const instance = await openInstance(settings);
  if (instance.admin.password) {
    password = [
      '  Sign in as admin with the password',
      `    ${instance.admin.password}`,
      '  It is shown this once. To change it: npm run sluice -- user passwd admin',
      '',
    ];
  }
  const port = await instance.listen();
  const aws = instance.aws();
  const at = settings.PUBLIC_URL ?? `http://${settings.HOST}:${port}`;
  const lines = [
    '',
    '  Sluice is running.',
    '',
    `  A blog post with comments   ${at}/`,
    `  The moderators' desk        ${at}/moderate`,
    ...(settings.SMTP_URL ? [] : [`  E-mail that was sent        ${at}/mailbox`]),
    `  Every execution, drawn      ${at}/executions`,
    `  The API, described          ${at}/v1/openapi.json`,
    ...(aws
      ? [
          `  For AWS SDKs and the CLI    http://127.0.0.1:${aws.port}  (us-east-1, key ${aws.keyFile ? `in ${aws.keyFile}` : aws.keyId})`,
        ]
      : []),
    '',
    ...password,
    `  Data: ${settings.SLUICE_DATA}    Stop: Ctrl-C`,
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);

  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => process.exit(1), 10_000).unref();
    void instance.stop().then(() => process.exit(0));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
} catch (error) {
  if (error instanceof SluiceError) {
    process.stderr.write(`${error.message}\n${error.hint}\n`);
  } else if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    process.stderr.write(
      `The port is taken: ${error.message}\nSet PORT or SLUICE_AWS_PORT to another one (SLUICE_AWS_PORT may be off), or stop what listens there.\n`,
    );
  } else {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  }
  if (password.length > 0) process.stdout.write(`\n${password.join('\n')}\n`);
  process.exit(1);
}
