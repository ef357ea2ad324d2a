/**
 * What is proven of the broker's tokens with real netcode servers and clients, a function a group.
 * It deliberately starts no broker and no game server; run.ts does.
 */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { Backend, Player, Ticket, World } from './backend.ts';
import type { Line, Program } from './processes.ts';

/** A game server that runs, and its world. */
export interface GameServer {
  readonly world: World;
  readonly program: Program;
}

export type ClientKind = 'renet' | 'official';

export interface Stage {
  readonly backend: Backend;
  /** Runs one check: its name is a sentence. */
  check(name: string, prove: () => Promise<void>): Promise<void>;
  /** Starts a client with a token, in its own form. */
  client(kind: ClientKind, tokens: readonly Ticket[], args?: readonly string[]): Program;
  /** Stops the broker, does something, and starts it again as it was. */
  withoutBroker(work: () => Promise<void>): Promise<void>;
  /** Makes an account an administrator; only while the broker does not run. */
  makeAdmin(name: string): Promise<void>;
  /** aurora/eldermoor, on renet. */
  readonly renet: GameServer;
  /** umbra/nightfall, on netcode-official; another realm has another key. */
  readonly official: GameServer;
  /** tidal/lagoon, on renet at ::1; undefined where the machine has no IPv6. */
  readonly ipv6: GameServer | undefined;
  /** aurora/sunreach: the same key as eldermoor, another address; nothing runs there. */
  readonly neighbour: World;
}

const is = (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
  const wanted = Object.entries(fields);
  return (line: Line) => line.message === message && wanted.every(([name, value]) => line[name] === value);
};
const says = (text: string) => (line: Line) => line.message.includes(text);

const UNDECIPHERABLE = 'error while encoding or decoding';

/** A client with a good token is in and plays. @returns what the server said of the claim */
async function enter({ client }: Stage, { program }: GameServer, kind: ClientKind, ticket: Ticket, args: readonly string[] = []) {
  const playing = client(kind, [ticket], args);
  const claimed = await program.until('claimed', is('claimed', { clientId: ticket.clientId }));
  await playing.until('connected', is('connected'));
  return { playing, claimed };
}

const until = async (what: string, test: () => Promise<boolean>, seconds = 10): Promise<void> => {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await pause(100)) if (await test()) return;
  assert.fail(`${what} did not become true within ${seconds} s`);
};

/** From the token to the release. */
export async function playing(stage: Stage): Promise<void> {
  const { backend, check, renet } = stage;
  const { program, world } = renet;
  const player = await backend.newPlayer(world);
  let ticket: Ticket | undefined;
  let client: Program | undefined;
  const known = <T>(value: T | undefined): T => {
    assert.ok(value !== undefined, 'an earlier check has failed');
    return value;
  };

  await check('a renet client connects to a renet server with the broker’s token', async () => {
    ticket = await backend.connect(player, world);
    client = stage.client('renet', [ticket]);
    const connected = await client.until('connected', is('connected'));
    assert.equal(connected.clientId, ticket.clientId);
  });
  await check('the server reads from the user data who it is', async () => {
    const { clientId, playSessionId } = known(ticket);
    const seen = await program.until('connected', is('connected', { clientId }));
    assert.equal(seen.accountId, player.accountId);
    assert.equal(seen.characterId, player.characterId);
    assert.equal(seen.sessionId, playSessionId);
    assert.equal(seen.serverId, `world:${world.realm}/${world.continent}`);
    assert.ok(Math.abs(Number(seen.issuedAt) - Date.now() / 1000) < 60, `issued at ${seen.issuedAt}`);
  });
  await check('the server claims the session at the broker', async () => {
    const claimed = await program.until('claimed', is('claimed', { clientId: known(ticket).clientId }));
    assert.match(String(claimed.epoch), /^[1-9][0-9]*$/);
    assert.equal(claimed.state, null);
  });
  await check('a message goes both ways', async () => {
    await known(client).until('echo: hello', is('received', { text: 'echo: hello' }));
  });
  await check('the realm’s list counts the player', () => until('one player', async () => (await backend.players(world)) === 1));
  await check('a session that is claimed is not claimed a second time', async () => {
    assert.deepEqual(await backend.claim(world, known(ticket)), { status: 409, code: 'claim-refused', reason: 'claimed' });
  });
  await check('a token that plays is refused from a second socket', async () => {
    await refused(stage, known(ticket), [], says(`client ${known(ticket).clientId} already connected`));
    assert.equal(known(client).isOver, false);
  });
  let port = 0;
  await check('the server releases the session when the client’s connection ends', async () => {
    const connecting = await known(client).until('connecting', is('connecting'));
    port = Number(connecting.port);
    assert.equal(await known(client).end(), 0);
    await program.until('released', is('released', { sessionId: known(ticket).playSessionId }));
  });
  await check('a token that was used is refused from another socket', async () => {
    await refused(stage, known(ticket), [], says('unable to add connect token entry'));
  });
  await check('a token that was used passes netcode from its own socket, and the claim refuses it', async () => {
    await claimRefused(stage, known(ticket), 'claimed', ['--bind', `0.0.0.0:${port}`]);
  });
  await check('the next session has the character as it was released, under the next epoch', async () => {
    const before = await program.until('claimed', is('claimed', { clientId: known(ticket).clientId }));
    const next = await backend.connect(player, world);
    const { playing, claimed } = await enter(stage, renet, 'renet', next);
    assert.notEqual(next.clientId, known(ticket).clientId);
    assert.equal(claimed.state, 'messages: 1');
    assert.equal(BigInt(String(claimed.epoch)), BigInt(String(before.epoch)) + 1n);
    await playing.end();
  });
  await check('a player who logs out in the game leaves his place at once', async () => {
    const { playing } = await enter(stage, renet, 'renet', await backend.connect(player, world));
    playing.write('log out');
    await playing.until('disconnected by the server', is('disconnected'));
    await until('no player', async () => (await backend.players(world)) === 0);
  });
}

/** netcode itself says no: the server has refused two requests of the client, and nobody has connected. */
async function refused(
  { client, renet: { program } }: Stage,
  ticket: Ticket,
  args: readonly string[],
  wanted: (line: Line) => boolean,
): Promise<void> {
  const from = program.lines.length;
  const intruder = client('renet', [ticket], args);
  const first = await program.until('the refusal', wanted, { from });
  await program.until('the refusal of the repeated request', wanted, { from: program.lines.indexOf(first) + 1 });
  assert.equal(program.find(is('connected'), from), undefined, 'the server has let somebody in');
  assert.equal(intruder.find(is('connected')), undefined, 'the client says that it is connected');
  await intruder.end();
}

/** netcode says yes and the broker no: the server ends the connection. */
async function claimRefused(
  { client, renet: { program } }: Stage,
  ticket: Ticket,
  reason: string,
  args: readonly string[] = [],
): Promise<void> {
  const from = program.lines.length;
  const intruder = client('renet', [ticket], args);
  const answer = await program.until('claim refused', is('claim refused', { clientId: ticket.clientId }), { from });
  assert.equal(answer.reason, reason);
  await intruder.until(
    'disconnected by the server',
    (line) => line.message === 'disconnected' && says('terminated by server')(asMessage(line)),
  );
}

const asMessage = (line: Line): Line => ({ message: String(line.why) });

/** `ticket` with some bytes of renet's form changed. */
function changed(ticket: Ticket, change: (bytes: Buffer) => void): Ticket {
  const bytes = Buffer.from(ticket.renet, 'base64');
  change(bytes);
  return { ...ticket, renet: bytes.toString('base64') };
}

/** Places in renet's form: the client id, then the standard's token. */
const RENET_AT = { expires: 8 + 29, privatePart: 8 + 61 } as const;

/** Tokens that are no good here. */
export async function forgeries(stage: Stage): Promise<void> {
  const { backend, check, renet, official, neighbour } = stage;
  const dial = ['--dial', `${renet.world.address}:${renet.world.port}`];
  await check('a token with another realm’s key is refused', async () => {
    const player = await backend.newPlayer(official.world);
    await refused(stage, await backend.connect(player, official.world), dial, says(UNDECIPHERABLE));
  });
  await check('a token for another server with the same key is refused', async () => {
    const player = await backend.newPlayer(neighbour);
    await refused(stage, await backend.connect(player, neighbour), dial, says('token does not contain the server address'));
  });
  await check('a token with one changed bit is refused', async () => {
    const player = await backend.newPlayer(renet.world);
    const ticket = changed(await backend.connect(player, renet.world), (bytes) => {
      bytes.writeUInt8(bytes.readUInt8(RENET_AT.privatePart + 500) ^ 1, RENET_AT.privatePart + 500);
    });
    await refused(stage, ticket, [], says(UNDECIPHERABLE));
  });
  await check('a session is claimed by nobody but its own server, with its own client id', async () => {
    const ticket = await backend.connect(await backend.newPlayer(renet.world), renet.world);
    const mismatch = { status: 409, code: 'claim-refused', reason: 'mismatch' };
    assert.deepEqual(await backend.claim(official.world, ticket), mismatch);
    assert.deepEqual(await backend.claim(renet.world, { ...ticket, clientId: String(BigInt(ticket.clientId) + 1n) }), mismatch);
    const { playing } = await enter(stage, renet, 'renet', ticket);
    await playing.end();
  });
  await check('two tokens of two accounts do not make a third player', async () => {
    const [first, second] = await Promise.all([backend.newPlayer(renet.world), backend.newPlayer(renet.world)]);
    const tickets = [await backend.connect(first, renet.world), await backend.connect(second, renet.world)] as const;
    const { program } = renet;
    const from = program.lines.length;
    const cheat = stage.client('renet', tickets, ['--mix']);
    const answer = await program.until('refused', is('refused'), { from });
    // The connection has the first one's client id, its user data the second's: renetcode lets it stand, the comparison does not.
    assert.equal(answer.clientId, tickets[0].clientId);
    assert.match(String(answer.why), new RegExp(`client ${tickets[1].clientId} .*two tokens were mixed`));
    assert.equal(program.find(is('claimed'), from), undefined);
    await cheat.end();
  });
}

/** Logins that follow each other. */
export async function successors(stage: Stage): Promise<void> {
  const { backend, check, renet, official } = stage;
  const { program, world } = renet;
  await check('a claim is refused when the account has connected again since', async () => {
    const player = await backend.newPlayer(world);
    const first = await backend.connect(player, world);
    const second = await backend.connect(player, world);
    await claimRefused(stage, first, 'superseded');
    const { playing } = await enter(stage, renet, 'renet', second);
    await playing.end();
  });
  await check('a second login has the first player kicked by the order in a report’s answer', async () => {
    const player = await backend.newPlayer(world);
    const first = await backend.connect(player, world);
    const { playing } = await enter(stage, renet, 'renet', first);
    const second = await backend.connect(player, world, await backend.logIn(player));
    const { order } = await program.until(
      'ordered',
      (line) => is('ordered')(line) && (line.order as Line).playSessionId === first.playSessionId,
    );
    assert.equal((order as Record<string, unknown>).kind, 'kick');
    await playing.until('disconnected by the server', is('disconnected'));
    await program.until('released', is('released', { sessionId: first.playSessionId }));
    const successor = await enter(stage, renet, 'renet', second);
    await successor.playing.end();
  });
  await check('a login on another server enters when the first server has let the character go, with what it had', async () => {
    const player = await backend.newPlayer(world);
    const first = await backend.connect(player, world);
    const { playing } = await enter(stage, renet, 'renet', first);
    await playing.until('echo: hello', is('received', { text: 'echo: hello' }));
    const second = await backend.connect(player, official.world);
    const successor = await enter(stage, official, 'official', second);
    // What the first server stored with its release.
    assert.equal(successor.claimed.state, 'messages: 1');
    await playing.until('disconnected by the server', is('disconnected'));
    await successor.playing.end();
  });
}

/** The other family: the standard's author's own crate. */
export async function families(stage: Stage): Promise<void> {
  const { backend, check, renet, official } = stage;
  await check('a netcode-official client connects to a netcode-official server with the standard’s form', async () => {
    const player = await backend.newPlayer(official.world);
    const { playing } = await enter(stage, official, 'official', await backend.connect(player, official.world));
    await playing.until('echo: hello', is('received', { text: 'echo: hello' }));
    await playing.end();
  });
  await check('a netcode-official client connects to a renet server with the standard’s form', async () => {
    const player = await backend.newPlayer(renet.world);
    const { playing } = await enter(stage, renet, 'official', await backend.connect(player, renet.world), ['--silent']);
    await playing.end();
  });
  await check('a renet client connects to a netcode-official server with renet’s form', async () => {
    const player = await backend.newPlayer(official.world);
    const { playing } = await enter(stage, official, 'renet', await backend.connect(player, official.world), ['--silent']);
    await playing.end();
  });
}

/** A world at ::1: the broker writes IPv6 as octets, which is its default. */
export async function ipv6(stage: Stage, server: GameServer): Promise<void> {
  const { backend, check } = stage;
  await check('a renet client connects to a renet server over IPv6', async () => {
    const player = await backend.newPlayer(server.world);
    const { playing } = await enter(stage, server, 'renet', await backend.connect(player, server.world), ['--bind', '[::]:0']);
    await playing.until('echo: hello', is('received', { text: 'echo: hello' }));
    await playing.end();
  });
}

/** The broker goes away and comes back, and an administrator bans two accounts. */
export async function outageAndBans(stage: Stage): Promise<void> {
  const { backend, check, client, renet } = stage;
  const { program, world } = renet;
  const player = await backend.newPlayer(world);
  const admin = await backend.newPlayer(world);
  const ticket = await backend.connect(player, world);
  const { playing } = await enter(stage, renet, 'renet', ticket);
  const newcomer = await backend.connect(await backend.newPlayer(world), world);
  const reportFails = (line: Line) => is('asked again later', { call: 'report' })(line);
  const echoes = async (text: string) => {
    playing.write(text);
    await playing.until(`echo: ${text}`, is('received', { text: `echo: ${text}` }));
  };

  await stage.withoutBroker(async () => {
    await check('play goes on while the broker is away', async () => {
      await program.until('a report that fails', reportFails, { from: program.lines.length });
      await echoes('away');
    });
    await check('nobody enters while the broker is away', async () => {
      const waiting = client('renet', [newcomer]);
      await program.until('asked again later', is('asked again later', { call: 'claim', clientId: newcomer.clientId }));
      await waiting.until('connected', is('connected'));
      assert.equal(waiting.find(is('received')), undefined, 'the server has answered a message');
      await waiting.end();
    });
    await stage.makeAdmin(admin.name);
  });
  await check('who has played on is still there when the broker is back', async () => {
    await program.until('reported', is('reported'), { from: program.lines.length });
    await until('one player', async () => (await backend.players(world)) === 1);
    await echoes('back');
  });
  await check('a player who is banned is kicked by the order in a report’s answer', async () => {
    await backend.ban(admin, player);
    await program.until('released', is('released', { sessionId: ticket.playSessionId }));
    await playing.until('disconnected by the server', is('disconnected'));
  });
  await check('a claim is refused when the account was banned after it got the token', async () => {
    const banned = await backend.newPlayer(world);
    const good = await backend.connect(banned, world);
    await backend.ban(admin, banned);
    await claimRefused(stage, good, 'banned');
  });
}

/** @param late a token of `player`, old enough by now or soon */
export async function expiry(stage: Stage, late: Ticket): Promise<void> {
  const { check } = stage;
  await check('a token is refused after its end', async () => {
    // Whole seconds count; half of one more for the server's clock.
    await pause(Math.max(0, Date.parse(late.expiresAt) + 500 - Date.now()));
    await refused(stage, late, [], says('connection expired'));
  });
  await check('a token whose end was put off by its player is refused', async () => {
    const ticket = changed(late, (bytes) => {
      bytes.writeBigUInt64LE(bytes.readBigUInt64LE(RENET_AT.expires) + 3600n, RENET_AT.expires);
    });
    await refused(stage, ticket, [], says(UNDECIPHERABLE));
  });
}

/** The end of a server with a player on it. */
export async function ending(stage: Stage, player: Player): Promise<void> {
  const { backend, check, renet } = stage;
  await check('a server that stops releases whoever plays, and exits with 0', async () => {
    const ticket = await backend.connect(player, renet.world);
    const { playing } = await enter(stage, renet, 'renet', ticket);
    assert.equal(await renet.program.end(), 0);
    await renet.program.until('released', is('released', { sessionId: ticket.playSessionId }));
    await playing.until('disconnected by the server', is('disconnected'));
  });
}
