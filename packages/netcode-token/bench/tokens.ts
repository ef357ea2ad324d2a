/**
 * Tokens per second on one core: making, writing as JSON in either form, and reading. `npm run bench -w packages/netcode-token [-- --json]`.
 * Deliberately no comparison with another machine's figures: each round is short, and the median of the rounds is told with the slowest and the fastest.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import {
  connectTokenToJson,
  createConnectToken,
  decodeConnectToken,
  decodePublicToken,
  decodeRenet,
  decodeUserData,
  encodeRenet,
  encodeUserData,
  randomClientId,
} from 'netcode-token';

const USAGE = `Tokens per second on one core.

  --rounds <n>    rounds of each measurement, of which the median counts (default 7)
  --millis <n>    length of a round in milliseconds (default 300)
  --json          print one JSON object
  --help          print this
`;

/** One measurement. */
interface Result {
  readonly name: string;
  /** Operations per second: median, slowest and fastest round. */
  readonly perSecond: number;
  readonly slowest: number;
  readonly fastest: number;
}

function measure(name: string, run: () => unknown, rounds: number, millis: number): Result {
  const round = () => {
    const start = performance.now();
    let count = 0;
    let elapsed = 0;
    while (elapsed < millis) {
      for (let index = 0; index < 50; index++) run();
      count += 50;
      elapsed = performance.now() - start;
    }
    return (count / elapsed) * 1000;
  };
  // The first round compiles and is thrown away.
  round();
  const rates = Array.from({ length: rounds }, round).sort((a, b) => a - b);
  const at = (index: number) => Math.round(rates[index] ?? 0);
  return { name, perSecond: at(Math.floor(rounds / 2)), slowest: at(0), fastest: at(rounds - 1) };
}

function positive(text: string, name: string): number {
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text);
  process.stderr.write(`--${name} is '${text}'; it must be a whole number from 1 to 999999.\n`);
  process.exit(2);
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    millis: { type: 'string', default: '300' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const rounds = positive(values.rounds, 'rounds');
const millis = positive(values.millis, 'millis');

const key = new Uint8Array(32).map((_, index) => index + 1);
const session = {
  accountId: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff',
  characterId: '0b0e3c0a-52d7-4f36-8f4e-1d2c3b4a5968',
  sessionId: 'a3bb189e-8bf9-4c3d-9f6c-7d1b2f0e5a44',
  serverId: 'aurora/eldermoor',
  build: '0.4.2',
};
const userData = encodeUserData({ ...session, clientId: 1n, issuedAt: 1n });
/** What a broker does for each player: WAN and LAN address, the pod's own, user data in fields. */
const create = () =>
  createConnectToken({
    protocolId: 0x4d4d4f0000000001n,
    clientId: randomClientId(),
    lifetimeSeconds: 45,
    timeoutSeconds: 5,
    publicAddresses: ['203.0.113.7:40000', '192.168.1.245:40000'],
    privateAddresses: ['10.42.7.9:7777'],
    userData: session,
    key,
  });
const made = create();
const renet = encodeRenet(made);

const results = [
  measure('create', create, rounds, millis),
  measure('create, base64 in both forms', () => connectTokenToJson(create(), ['netcode', 'renet']), rounds, millis),
  measure('decode public part', () => decodePublicToken(made.token), rounds, millis),
  measure("decode renet's form", () => decodeRenet(renet), rounds, millis),
  measure('decode both parts', () => decodeConnectToken(made.token, { key }), rounds, millis),
  measure(
    'decode both parts and user data',
    () => decodeUserData(decodeConnectToken(made.token, { key }).privatePart.userData),
    rounds,
    millis,
  ),
  measure('encode user data', () => encodeUserData({ ...session, clientId: 1n, issuedAt: 1n }), rounds, millis),
  measure('decode user data', () => decodeUserData(userData), rounds, millis),
];

if (values.json) {
  const cpu = cpus()[0]?.model ?? 'unknown';
  process.stdout.write(`${JSON.stringify({ node: process.version, cpu, rounds, millis, results }, null, 2)}\n`);
} else {
  process.stdout.write(`Node ${process.version}, one core, median of ${rounds} rounds of ${millis} ms (slowest to fastest), per second:\n`);
  for (const { name, perSecond, slowest, fastest } of results)
    process.stdout.write(`  ${name.padEnd(32)} ${String(perSecond).padStart(8)}   (${slowest} to ${fastest})\n`);
}
