import { enableCompileCache } from 'node:module';
import process from 'node:process';
import { Command, Option } from 'commander';
import { SluiceError } from '../shared/errors.ts';
import type { SiteOptions } from './commands/commands.ts';
import type { Place } from './commands/place.ts';

// Most of a short command is loading, here and on threads of its own.
const { directory } = enableCompileCache();
if (directory) process.env.NODE_COMPILE_CACHE ??= directory;

/** `npm run sluice -- …`: each command says what it did, or one clear sentence about what is wrong. */
const program = new Command('sluice')
  .description('Operate a Sluice instance: the one in SLUICE_DATA, or a stage on AWS.')
  .showHelpAfterError('(add --help for the options)')
  .addOption(new Option('--stage <stage>', 'work on this stage on AWS instead of SLUICE_DATA'));

const local = () => import('./local/commands/commands.ts');
const everywhere = () => import('./commands/commands.ts');
const moving = () => import('./commands/move.ts');

const stageOf = (command: Command) => command.optsWithGlobals<{ stage?: string }>().stage;

/** The data folder, or the stage that `--stage` names; the SDK is loaded for the latter alone. */
async function placeOf(command: Command): Promise<Place> {
  const stage = stageOf(command);
  if (stage === undefined) return (await import('./local/commands/place.ts')).dataFolder;
  return (await import('./aws/commands/place.ts')).stagePlace(stage);
}

/** What AWS itself does for a stage says so, instead of doing it to the data folder. */
async function onlyLocal(command: Command, name = command.name()): Promise<void> {
  const stage = stageOf(command);
  if (stage === undefined) return;
  const { insteadOf } = await import('./aws/commands/instead.ts');
  const instead = insteadOf(name, stage);
  throw new SluiceError('Config.Invalid', `"${name}" is not for a stage: ${instead?.why ?? 'it works on a folder'}.`, {
    hint: instead?.what ?? 'leave --stage out',
  });
}

/** Says what ctrl-C leaves behind, and ends as any other command does. */
function onInterrupt(words: string): void {
  process.once('SIGINT', () => {
    process.stderr.write(`\n${words}\n`);
    process.kill(process.pid, 'SIGINT');
  });
}

/** "Erased 0 comments" would be no answer to a name, or to a typing mistake. */
function mustBeAddress(email: string | undefined): void {
  if (email === undefined || /^[^@\s]+@[^@\s]+$/.test(email)) return;
  throw new SluiceError('Config.Invalid', `"${email}" is no e-mail address`, { hint: 'such as mina@people.example' });
}

program
  .command('replay')
  .description(
    'submit the comments of a JSONL file ({text, author?, link?, date?, thread?} a line) through the whole pipeline',
  )
  .argument('<file>', 'the file, one JSON object a line')
  .option('--site <site>', 'the site that receives them', 'demo')
  .option('--rate <perSecond>', 'at most so many a second', Number)
  .option('--json', 'print the result as JSON')
  .action(async (file: string, options: { site: string; rate?: number; json?: boolean }, command: Command) => {
    await (await everywhere()).replay(await placeOf(command), file, options);
  });

program
  .command('import')
  .argument('<file>', 'an export of Disqus, WordPress, Isso, Commento, Remark42, Waline, Artalk, Twikoo or Sluice')
  .option('--site <site>', 'the site that receives the comments', 'demo')
  .option('--format <format>', 'told from the content unless named', 'auto')
  .option('--dry-run', 'read and report, write nothing')
  .option('--json', 'print the report as JSON')
  .description('take comments in, also while the server runs; again, and only what is new is written')
  .action(
    async (
      file: string,
      options: { site: string; format: string; dryRun?: boolean; json?: boolean },
      command: Command,
    ) => {
      if (!options.dryRun) onInterrupt('Stopped. What was imported stays; the same command goes on from there.');
      await (await moving()).importFile(await placeOf(command), file, options);
    },
  );

program
  .command('export')
  .argument('[file]', 'standard output without it')
  .option('--site <site>', 'the site to export', 'demo')
  .option('--format <format>', 'sluice (JSON Lines, imports back to the same state) or wordpress (WXR)', 'sluice')
  .option('--contacts', 'with the e-mail addresses of writers')
  .option('--person <address>', 'all that is stored on one person, on every site, as JSON')
  .description("write a site's comments to a file")
  .action(
    async (
      file: string | undefined,
      options: { site: string; format: string; contacts?: boolean; person?: string },
      command: Command,
    ) => {
      mustBeAddress(options.person);
      await (await moving()).exportFile(await placeOf(command), file, options);
    },
  );

program
  .command('forget')
  .option('--email <address>', 'everything of the person with this address')
  .option('--comment <id>', 'one comment')
  .option('--site <site>', 'on this site alone')
  .option('--dry-run', 'say what would be erased')
  .description('erase a person or a comment for good')
  .action(async (options: { email?: string; comment?: string; site?: string; dryRun?: boolean }, command: Command) => {
    mustBeAddress(options.email);
    await (await moving()).forget(await placeOf(command), options);
  });

const user = program.command('user').description('moderators');
user
  .command('add')
  .argument('<name>')
  .option('--role <role>', 'moderator or admin', 'moderator')
  .option('--site <site>', 'one site; all without it', '*')
  .description('add a moderator; the password is that of SLUICE_PASSWORD, or made and printed')
  .action(async (name: string, options: { role: string; site: string }, command: Command) => {
    await onlyLocal(command, 'user add');
    await (await local()).userAdd(name, options);
  });
user
  .command('passwd')
  .argument('<name>')
  .description('set a new password, that of SLUICE_PASSWORD or one that is made; sessions end')
  .action(async (name: string, _options: object, command: Command) => {
    await onlyLocal(command, 'user passwd');
    await (await local()).userPasswd(name);
  });

const site = program.command('site').description('sites');
site
  .command('add')
  .argument('<id>', 'lower-case letters, digits, dots and dashes')
  .option('--name <name>', 'what people call it')
  .option('--origin <origin...>', 'where its pages live, such as https://blog.example')
  .option('--thread-param <name...>', 'query parameters that tell posts apart, as p does in /?p=12')
  .description('add a site')
  .action(async (id: string, options: SiteOptions, command: Command) => {
    await (await everywhere()).siteAdd(await placeOf(command), id, options);
  });

site
  .command('author-key')
  .argument('<id>', 'the site')
  .option('--renew', 'make a new key; what the old one signed ends')
  .description("print the key with which the blog's back end signs its authors' tokens (docs/authors.md)")
  .action(async (id: string, options: { renew?: boolean }, command: Command) => {
    await (await everywhere()).siteKey(await placeOf(command), id, options);
  });

program
  .command('redrive')
  .description('send dead letters again')
  .argument('[id]', 'one letter; all without it')
  .option('--site <site>', 'only of this site')
  .action(async (id: string | undefined, options: { site?: string }, command: Command) => {
    await (await everywhere()).redrive(await placeOf(command), id, options);
  });

program
  .command('mail-test')
  .argument('<address>', 'where the mail goes')
  .description('send a comment and a reply through the whole pipeline to that address, say each hop, remove them')
  .action(async (address: string, _options: object, command: Command) => {
    await (await everywhere()).mailTest(await placeOf(command), address);
  });

program
  .command('suppress')
  .description(
    'send no more mail to an address, on any site; without one, to those that a bounce on standard input names',
  )
  .argument('[address]', 'the address; without it a bounce (RFC 3464) or complaint (RFC 5965) is read')
  .option('--complaint', 'they complained; without it mail to them came back')
  .option('--lift', 'mail may go there again')
  .action(async (address: string | undefined, options: { complaint?: boolean; lift?: boolean }, command: Command) => {
    await (await everywhere()).suppress(await placeOf(command), address, options);
  });

program
  .command('backup')
  .argument('<folder>', 'a folder that does not exist yet')
  .description('copy the whole instance, also while it runs')
  .action(async (folder: string, _options: object, command: Command) => {
    await onlyLocal(command);
    await (await local()).backup(folder);
  });

program
  .command('restore')
  .argument('<folder>', 'what backup made')
  .description('put a backup into SLUICE_DATA, which must be empty')
  .action(async (folder: string, _options: object, command: Command) => {
    await onlyLocal(command);
    await (await local()).restore(folder);
  });

program
  .command('doctor')
  .description('check settings, data folder, queues and dead letters')
  .action(async (_options: object, command: Command) => {
    await (await everywhere()).doctor(await placeOf(command));
  });

// Whoever reads may have enough: `sluice export | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await program.parseAsync(process.argv);
} catch (error) {
  const { message, hint } = toldOf(error);
  process.stderr.write(`${message}\n${hint}\n`);
  process.exitCode = 1;
}

/** What an operator is told; a fault of ours is thrown, with its stack. */
function toldOf(error: unknown): { message: string; hint: string } {
  if (error instanceof SluiceError) return error;
  // The system's own words name the path: no such folder, no permission, no space left.
  if (error instanceof Error && 'syscall' in error && ('path' in error || error.syscall === 'write')) {
    return { message: error.message, hint: 'check the path, who may use it, and the space that is left' };
  }
  throw error;
}
