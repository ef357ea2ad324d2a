/**
 * The broker's program: one command a start. `serve` and `migrate` are the cluster's (lib/broker-contract.ts), `laptop` is `npm run broker`, `admin` is for operators.
 * It deliberately does nothing but choose.
 */
const COMMANDS: Readonly<Record<string, () => Promise<(args: readonly string[]) => Promise<number>>>> = {
  serve: async () => (await import('./commands/serve.ts')).serve,
  migrate: async () => (await import('./commands/migrate.ts')).migrateCommand,
  laptop: async () => (await import('./commands/laptop.ts')).laptop,
  admin: async () => (await import('./commands/admin.ts')).admin,
};

const [name = '', ...args] = process.argv.slice(2);
const load = COMMANDS[name];
if (!load) {
  const commands = `The commands are ${Object.keys(COMMANDS).join(', ')}; laptop and admin have --help, serve and migrate read their configuration alone.`;
  if (name === '--help') console.log(commands);
  else console.error(`There is no command '${name}'. ${commands}`);
  process.exit(name === '--help' ? 0 : 2);
}
try {
  process.exitCode = await (await load())(args);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
