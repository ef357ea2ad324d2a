/**
 * `admin`: the operators' command, in the broker's pod or on a laptop: it makes the first administrator, and does without one what the API does for one.
 * It deliberately asks for no log-in: whoever can run it has the database already. Everything that it changes is in the audit log, as done by `command`.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { BROKER_ENVIRONMENT } from '../../../../lib/broker-contract.ts';
import { ADMIN_COMMANDS, type AdminCommand, type AdminPlace, UsageError } from '../admin/commands.ts';
import { DatabaseUnavailable, sqlState } from '../database/database.ts';
import { openHome } from '../laptop/home.ts';
import { laptopRealms } from '../laptop/realms.ts';

/** Options of every subcommand. */
const COMMON = {
  help: { type: 'boolean', help: 'this text' },
  json: { type: 'boolean', help: 'print JSON' },
  home: { type: 'string', help: "folder of a laptop's broker that does not run; without it, the configuration's database" },
  realms: { type: 'string', help: 'with --home: the JSON file that the broker is started with' },
  port: { type: 'string', help: "with --home: players' port, for links [8080]" },
} as const;

function overview(): string {
  const rows = Object.entries(ADMIN_COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(15)} ${summary}`);
  return `admin COMMAND [options]

${rows.join('\n')}

'admin COMMAND --help' shows a command's options. In the cluster the database is the one of the configuration (${BROKER_ENVIRONMENT.config}); on a
laptop it is the one of --home DIR, while no broker runs. Exit codes: 0 done, 1 refused or failed, 2 wrong command line.`;
}

function helpOf(name: string, { summary, positionals, options }: AdminCommand): string {
  const rows = Object.entries({ ...options, ...COMMON }).map(
    ([option, { type, help }]) => `  ${`--${option}${type === 'string' ? ' …' : ''}`.padEnd(15)} ${help}`,
  );
  return `${['admin', name, ...positionals, '[options]'].join(' ')}\n\nWhat it does: ${summary}.\n\n${rows.join('\n')}`;
}

/** `--home DIR` may stand before the command, so that a shell's alias can have it. */
function commandFirst(args: readonly string[]): readonly string[] {
  const ahead = args[0] === '--home' ? 2 : args[0]?.startsWith('--home=') ? 1 : 0;
  return [...args.slice(ahead), ...args.slice(0, ahead)];
}

/** @returns the exit code */
export async function admin(given: readonly string[]): Promise<number> {
  const [name = '', ...rest] = commandFirst(given);
  if (name === '--help' || name === 'help') {
    console.log(overview());
    return 0;
  }
  const command = Object.hasOwn(ADMIN_COMMANDS, name) ? ADMIN_COMMANDS[name] : undefined;
  if (!command) {
    console.error(name === '' ? overview() : `There is no command 'admin ${name}'. 'admin --help' lists them.`);
    return 2;
  }
  try {
    const { values, positionals } = parse(command, rest);
    if (values.help) {
      console.log(helpOf(name, command));
      return 0;
    }
    checkPositionals(command, positionals);
    const { json, home, realms, port, help: _help, ...own } = values;
    const place = await open({ home, realms, port });
    try {
      const result = await command.run(place, positionals, own as Record<string, string | boolean | undefined>);
      console.log(json ? JSON.stringify(result.json) : result.text);
      return 0;
    } finally {
      await place.close();
    }
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message} 'admin ${name} --help' shows how it is used.`);
      return 2;
    }
    console.error(sentence(error));
    return 1;
  }
}

function parse(command: AdminCommand, args: readonly string[]) {
  try {
    const own = Object.fromEntries(Object.entries(command.options).map(([option, { type }]) => [option, { type }]));
    const { help, json, home, realms, port } = COMMON;
    const common = {
      help: { type: help.type },
      json: { type: json.type },
      home: { type: home.type },
      realms: { type: realms.type },
      port: { type: port.type },
    } as const;
    return parseArgs({ args: [...args], allowPositionals: true, options: { ...own, ...common } });
  } catch (error) {
    // Node's messages are sentences that name the option.
    if (String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS')) throw new UsageError((error as Error).message);
    throw error;
  }
}

function checkPositionals({ positionals: wanted }: AdminCommand, given: readonly string[]): void {
  const missing = wanted.slice(given.length).find((name) => !name.startsWith('['));
  if (missing) throw new UsageError(`${missing} is missing.`);
  if (given.length > wanted.length) throw new UsageError(`'${given[wanted.length]}' is one argument too many.`);
}

interface OpenPlace extends AdminPlace {
  close(): Promise<void>;
}

async function open({
  home,
  realms,
  port = '8080',
}: {
  readonly home?: string | undefined;
  readonly realms?: string | undefined;
  readonly port?: string | undefined;
}): Promise<OpenPlace> {
  if (home !== undefined) return openLaptop(fromCaller(home), realms === undefined ? undefined : fromCaller(realms), port);
  const { openPodDatabase, podSettings } = await import('./pod.ts');
  const settings = podSettings();
  if (!settings) {
    throw new UsageError(
      `Which broker? In the cluster ${BROKER_ENVIRONMENT.config} names the configuration; on a laptop give the broker's folder with --home DIR.`,
    );
  }
  const database = openPodDatabase(settings, { poolSize: 1, applicationName: 'connect-broker-admin' });
  return { database, settings, close: () => database.close() };
}

/** npm runs workspace scripts in the workspace's folder; people mean the folder that they are in. */
const fromCaller = (file: string): string => path.resolve(process.env.INIT_CWD ?? '.', file);

async function openLaptop(directory: string, realmsFile: string | undefined, port: string): Promise<OpenPlace> {
  if (!existsSync(path.join(directory, 'database'))) {
    throw new Error(
      `There is no broker's database in ${directory}. 'npm run broker' makes it at its first start, in .broker unless --home says otherwise.`,
    );
  }
  const realms = laptopRealms(realmsFile);
  const home = openClosedHome(directory);
  try {
    const { openEmbedded } = await import('../database/embedded.ts');
    const { migrate } = await import('../database/migrate.ts');
    const database = await openEmbedded(home.database);
    try {
      await migrate(database);
    } catch (error) {
      await database.close();
      throw error;
    }
    return {
      database,
      settings: { publicUrl: `http://localhost:${port}`, realms },
      close: async () => {
        await database.close();
        home.release();
      },
    };
  } catch (error) {
    home.release();
    throw error;
  }
}

function openClosedHome(directory: string) {
  try {
    return openHome(directory, [], []);
  } catch (error) {
    const holder = /process (\d+)/.exec((error as Error).message)?.[1];
    if (holder === undefined) throw error;
    throw new Error(
      `A broker runs on ${directory} (process ${holder}), and the embedded database belongs to one process. End the broker with Ctrl+C, run this again, ` +
        'and start it again; or log in as an administrator and use the API under /v1/admin.',
    );
  }
}

function sentence(error: unknown): string {
  if (error instanceof DatabaseUnavailable)
    return `${error.message}. Nothing is known to have changed; look with 'admin audit' before you try again.`;
  // PostgreSQL's undefined_table.
  if (sqlState(error) === '42P01')
    return 'The database has no schema yet. The migration makes it: in the cluster a Job before the broker starts.';
  return error instanceof Error ? error.message : String(error);
}
