import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { App, Tags } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { SluiceError } from '../../shared/errors.ts';
import { bundleAll } from './bundle.ts';
import { describeApi } from './describe.ts';
import { stacksOf } from './stacks.ts';
import { stageOf } from './stage.ts';

const ROOT = join(import.meta.dirname, '../..');

/** `npx cdk synth`: what is wrong is one sentence, not a stack. */
try {
  const app = new App();
  const stage = stageOf(app, process.env);
  const pages = join(ROOT, 'dist');
  if (!existsSync(pages)) {
    throw new SluiceError('Config.Invalid', 'the pages are not built: there is no dist/', { hint: 'npm run prepare' });
  }
  const bundles = await bundleAll(join(app.outdir, 'bundles'));
  stacksOf(app, stage, {
    pages,
    descriptions: await describeApi(),
    code: (name) => Code.fromAsset(bundles[name]!.folder),
  });
  Tags.of(app).add('product', 'sluice');
  Tags.of(app).add('stage', stage.name);
  app.synth();
} catch (error) {
  if (!(error instanceof SluiceError)) throw error;
  process.stderr.write(`${error.message}. ${error.hint}.\n`);
  process.exitCode = 1;
}
