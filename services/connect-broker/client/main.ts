/**
 * `npm run connect`: from a log-in to a token in a file, to test game clients and to script them.
 * It deliberately takes no password as an argument and speaks no UDP; what the file is for is the game's business.
 */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { BrokerClient, BrokerError, type Encoding, type IssuedToken, type Waiting } from './broker-client.ts';
import { PASSWORD_VARIABLE, readPassword, readSession, writePrivateFile, writeSession } from './secrets.ts';

const HELP = `
npm run connect -- --name NAME --realm REALM [options]
npm run connect -- --name NAME --instance ID [options]

Logs in to a connect broker, asks for a place in a realm or an instance, and writes the connect token to a file (readable by its owner alone).
The password is typed, read from the first line of the standard input, or taken from ${PASSWORD_VARIABLE}.

  --url URL            the broker [http://localhost:8080]
  --name NAME          the account
  --register           make the account if there is none of that name, and a character
  --invite CODE        invitation, where accounts need one
  --realm REALM        realm to enter, such as aurora
  --instance ID        instance to enter: its id, or a content type such as dungeon for one of one's own
  --continent NAME     continent of it [the character's home, or the first]
  --character NAME     character to enter with [the first; with --register one called like the account]
  --protocol-id N      refuse a server of another protocol, such as 0x4d4d4f0000000001
  --build BUILD        refuse a server of another build
  --output FILE        where the token goes [token.bin]
  --encoding FORM      standard (2048 bytes, netcode 1.02) or renet [standard]
  --wait               wait in the queue, or for a server that starts
  --timeout SECONDS    give up waiting after so long [no limit]
  --session FILE       keep the session in FILE and use it again [log out at the end]
  --json               say on the standard output what happened, as JSON

Exit status: 0 a token was written, 1 something failed, 2 the arguments are wrong, 3 one has to wait (without --wait, or --timeout is over),
4 name, password or session are wrong, 5 the client does not fit the server, 6 refused: banned, maintenance, or nothing to enter.
`;

export const EXIT = { done: 0, failed: 1, usage: 2, waiting: 3, credentials: 4, outdated: 5, refused: 6 } as const;

const EXIT_OF_CODE: Readonly<Record<string, number>> = {
  'not-logged-in': EXIT.credentials,
  'wrong-credentials': EXIT.credentials,
  'too-many-failures': EXIT.credentials,
  'client-outdated': EXIT.outdated,
  banned: EXIT.refused,
  'not-found': EXIT.refused,
  'realm-unavailable': EXIT.refused,
  'queue-full': EXIT.refused,
  'registration-closed': EXIT.refused,
  'invite-invalid': EXIT.refused,
};

interface Options {
  readonly url: URL;
  readonly name: string;
  readonly register: boolean;
  readonly invite: string | undefined;
  /** Undefined with an instance. */
  readonly realm: string | undefined;
  readonly instance: string | undefined;
  readonly continent: string | undefined;
  readonly character: string | undefined;
  readonly client: { readonly protocolId?: string; readonly build?: string };
  readonly output: string;
  readonly encoding: Encoding;
  readonly wait: boolean;
  readonly timeoutMs: number;
  readonly session: string | undefined;
  readonly json: boolean;
}

/** What is wrong with the arguments, all of it. */
class UsageError extends Error {}

/** @returns undefined when help was asked for @throws UsageError */
export function parseOptions(args: readonly string[]): Options | undefined {
  let values: Record<string, string | boolean | undefined>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        url: { type: 'string', default: 'http://localhost:8080' },
        name: { type: 'string' },
        register: { type: 'boolean', default: false },
        invite: { type: 'string' },
        realm: { type: 'string' },
        instance: { type: 'string' },
        continent: { type: 'string' },
        character: { type: 'string' },
        'protocol-id': { type: 'string' },
        build: { type: 'string' },
        output: { type: 'string', default: 'token.bin' },
        encoding: { type: 'string', default: 'standard' },
        wait: { type: 'boolean', default: false },
        timeout: { type: 'string' },
        session: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  if (values.help) return undefined;
  const text = (name: string) => values[name] as string | undefined;
  const mistakes: string[] = [];
  if (!text('name')) mistakes.push('--name is missing.');
  if (!text('realm') && !text('instance')) mistakes.push('--realm is missing.');
  if (text('instance') && (text('realm') || text('continent'))) mistakes.push('--instance is instead of --realm and --continent.');
  const given = text('url') ?? '';
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    mistakes.push(`--url is '${given}'; it must be an address such as https://mmo.example.org.`);
  } else if (url.username !== '' || url.password !== '') mistakes.push('--url must have no name or password in it.');
  const encoding = text('encoding');
  if (encoding !== 'standard' && encoding !== 'renet') mistakes.push(`--encoding is '${encoding}'; it must be standard or renet.`);
  const timeout = text('timeout');
  const seconds = timeout === undefined ? Number.POSITIVE_INFINITY : Number(timeout);
  if (!(seconds > 0)) mistakes.push(`--timeout is '${timeout}'; it must be a number of seconds above 0.`);
  if (timeout !== undefined && !values.wait) mistakes.push('--timeout is how long --wait waits; add --wait.');
  if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
  const protocolId = text('protocol-id');
  const build = text('build');
  return {
    url: url as URL,
    name: text('name') as string,
    register: values.register === true,
    invite: text('invite'),
    realm: text('realm'),
    instance: text('instance'),
    continent: text('continent'),
    character: text('character'),
    client: { ...(protocolId === undefined ? {} : { protocolId }), ...(build === undefined ? {} : { build }) },
    output: path.resolve(text('output') ?? 'token.bin'),
    encoding: encoding as Encoding,
    wait: values.wait === true,
    timeoutMs: seconds * 1000,
    session: text('session'),
    json: values.json === true,
  };
}

const DEVICE = 'Command-line client';

/** Has to wait, and may not. */
class MustWait extends Error {
  readonly wait: Waiting;
  constructor(wait: Waiting, timedOut: boolean) {
    const where = wait.state === 'queued' ? `position ${wait.position} of ${wait.waiting} in the queue` : `the server is ${wait.state}`;
    super(timedOut ? `Gave up waiting: ${where}.` : `One has to wait: ${where}. Use --wait.`);
    this.wait = wait;
  }
}

/** Something about the account that only its owner can decide. */
class Refused extends Error {}

const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** Logs in: with a kept session that still is valid, with the password, or by registering. */
async function logIn(options: Options): Promise<BrokerClient> {
  const { url, name, session: file } = options;
  const kept = file === undefined ? undefined : readSession(file, url, name);
  const client = new BrokerClient(url, kept);
  if (kept !== undefined) {
    try {
      await client.account();
      return client;
    } catch (error) {
      if (!(error instanceof BrokerError) || error.status !== 401) throw error;
      client.session = undefined;
    }
  }
  const password = await readPassword(`Password of ${name}: `);
  await (options.register ? registerOrLogIn(client, options, password) : client.logIn(name, password, DEVICE));
  if (file !== undefined && client.session !== undefined) writeSession(file, url, name, client.session);
  return client;
}

async function registerOrLogIn(client: BrokerClient, { name, invite }: Options, password: string): Promise<void> {
  try {
    const codes = await client.register(name, password, invite, DEVICE);
    say(`The account ${name} is made. Its recovery codes, shown only now:\n  ${codes.join('\n  ')}`);
  } catch (error) {
    if (!(error instanceof BrokerError) || error.code !== 'name-taken') throw error;
    await client.logIn(name, password, DEVICE);
  }
}

async function chooseCharacter(
  client: BrokerClient,
  { character, name, register, realm, continent }: Options,
): Promise<{ id: string; name: string }> {
  const characters = await client.characters();
  const same = (other: string, wanted: string) => other.normalize('NFKC').toLowerCase() === wanted.normalize('NFKC').toLowerCase();
  const found = character === undefined ? characters[0] : characters.find((candidate) => same(candidate.name, character));
  if (found) return found;
  if (register && realm !== undefined) return client.makeCharacter(character ?? name, realm, continent);
  const have = characters.length === 0 ? 'The account has none' : `It has ${characters.map((candidate) => candidate.name).join(', ')}`;
  throw new Refused(
    `${character === undefined ? 'There is no character to enter with' : `The account has no character '${character}'`}. ${have}; --register makes one.`,
  );
}

/** How one waits for an instance: there is no queue. */
const STARTING: Waiting = { state: 'starting', position: 0, waiting: 0, estimateSeconds: null, pollAfterSeconds: 2 };

/** Asks for a token until there is one. @throws MustWait */
async function token(client: BrokerClient, options: Options, characterId: string, signal: AbortSignal): Promise<IssuedToken> {
  const { realm, instance, continent, encoding, wait: mayWait, timeoutMs } = options;
  const until = Date.now() + timeoutMs;
  for (;;) {
    if (realm === undefined) {
      const answer = await client.enterInstance(instance ?? '', { characterId, client: options.client, encodings: [encoding] });
      if ('token' in answer) return answer.token;
      const pause = Math.max(1, answer.pollAfterSeconds) * 1000;
      if (!mayWait) throw new MustWait(STARTING, false);
      if (Date.now() + pause > until) throw new MustWait(STARTING, true);
      await sleep(pause, undefined, { signal });
      continue;
    }
    const answer = await client.connect(realm, {
      characterId,
      client: options.client,
      encodings: [encoding],
      ...(continent === undefined ? {} : { continent }),
    });
    if ('token' in answer) return answer.token;
    if (!mayWait) {
      await client.leaveQueue();
      throw new MustWait(answer.wait, false);
    }
    await turn(client, answer.wait, until, signal);
  }
}

/** Resolves when it is one's turn, or when there is no place in the queue any more and one has to ask anew. @throws MustWait when the time is over */
async function turn(client: BrokerClient, first: Waiting, until: number, signal: AbortSignal): Promise<void> {
  let told = '';
  for (let state: Waiting | undefined = first; state !== undefined && state.state !== 'ready'; state = await client.queue()) {
    const estimate = state.estimateSeconds === null ? '' : `, about ${state.estimateSeconds} s`;
    const text =
      state.state === 'queued'
        ? `Waiting: position ${state.position} of ${state.waiting}${estimate}.`
        : `Waiting: the server is ${state.state}.`;
    if (text !== told) say(text);
    told = text;
    const pause = Math.max(1, state.pollAfterSeconds) * 1000;
    if (Date.now() + pause > until) {
      await client.leaveQueue();
      throw new MustWait(state, true);
    }
    await sleep(pause, undefined, { signal });
  }
}

async function run(options: Options, signal: AbortSignal): Promise<Record<string, unknown>> {
  const client = await logIn(options);
  try {
    const character = await chooseCharacter(client, options);
    const issued = await token(client, options, character.id, signal).catch(async (error: unknown) => {
      // Somebody who is not here any more must not hold up the others.
      if (signal.aborted) await client.leaveQueue().catch(() => undefined);
      throw error;
    });
    const bytes = issued[options.encoding === 'renet' ? 'renet' : 'token'];
    if (bytes === undefined) throw new Error(`The broker gave no token in the form '${options.encoding}'.`);
    writePrivateFile(options.output, Buffer.from(bytes, 'base64'));
    return {
      file: options.output,
      encoding: options.encoding,
      clientId: issued.clientId,
      expiresAt: issued.expiresAt,
      ...(options.realm === undefined ? { instance: options.instance } : { realm: options.realm }),
      character: character.name,
    };
  } finally {
    if (options.session === undefined) await client.logOut().catch(() => undefined);
  }
}

/** The command; gives its exit status. */
export async function connect(args: readonly string[]): Promise<number> {
  let options: Options | undefined;
  try {
    options = parseOptions(args);
  } catch (error) {
    say(`${(error as Error).message}\n(--help lists the options)`);
    return EXIT.usage;
  }
  if (!options) {
    console.log(HELP.trim());
    return EXIT.done;
  }
  const { json } = options;
  const interrupted = new AbortController();
  const onSignal = () => interrupted.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  const refuse = (status: number, code: string, message: string, more: Readonly<Record<string, unknown>> = {}): number => {
    if (json) console.log(JSON.stringify({ error: { code, message, ...more } }));
    else say(message);
    return status;
  };
  try {
    const result = await run(options, interrupted.signal);
    if (json) console.log(JSON.stringify(result));
    else
      console.log(
        `The token for ${result.realm ?? result.instance} as ${result.character} is in ${result.file}; it expires at ${result.expiresAt} (client id ${result.clientId}).`,
      );
    return EXIT.done;
  } catch (error) {
    if (interrupted.signal.aborted) return refuse(130, 'interrupted', 'Interrupted; the place in the queue is given up.');
    if (error instanceof MustWait) return refuse(EXIT.waiting, 'waiting', error.message, { wait: error.wait });
    if (error instanceof Refused) return refuse(EXIT.refused, 'refused', error.message);
    if (error instanceof BrokerError) {
      const required = error.problem.required as { readonly downloadUrl?: string } | undefined;
      const download = required?.downloadUrl === undefined ? '' : ` It is at ${required.downloadUrl}.`;
      return refuse(
        EXIT_OF_CODE[error.code] ?? EXIT.failed,
        error.code,
        `${error.message}${download}`,
        required === undefined ? {} : { required },
      );
    }
    return refuse(EXIT.failed, 'failed', (error as Error).message);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  process.exitCode = await connect(process.argv.slice(2));
