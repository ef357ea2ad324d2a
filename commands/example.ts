/**
 * `npm run example`: the example's game server and client with the laptop's broker.
 * It deliberately only reads options; examples/game-server/checks has the checks.
 */
import { runExample } from '../examples/game-server/checks/run';
import { readOptions, runCommand } from './options';

const HELP = `
npm run example [-- --required]

Builds examples/game-server and proves, with the broker of a laptop and over UDP on loopback, that it keeps docs/game-server.md: a player
enters, plays, is warned, loses no packet in the drain, and finds world and things again after restarts and kills. Needs Rust and protoc.
  --required  fail where one of them is missing
`;

export const main = (args: readonly string[]): Promise<number> =>
  runCommand(() => {
    const options = readOptions(args, HELP, { required: { type: 'boolean' } });
    return options ? runExample(options.values) : 0;
  });
