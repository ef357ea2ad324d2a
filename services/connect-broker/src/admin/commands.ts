/**
 * What the admin command can do: one entry a subcommand, each of them the same functions that the operators' routes call.
 * It deliberately opens no database, reads no environment and prints nothing (src/commands/admin.ts does).
 */
import type { Database } from '../database/database.ts';
import { accountByName, accountState, type Role, setRole } from './accounts.ts';
import { act, COMMAND_ACTOR, type Note } from './actor.ts';
import { readAudit } from './audit.ts';
import { activeBansOf, type Ban, banAccount, banNetwork, liftBan, requireNetwork, searchBans } from './bans.ts';
import { createAccount, giveInvite, giveResetLink, listInvites, revokeInvite } from './invites.ts';
import { endMaintenance, listMaintenance, startMaintenance } from './maintenance.ts';

/** What a subcommand works on. */
export interface AdminPlace {
  readonly database: Database;
  readonly settings: { readonly publicUrl: string; readonly realms: readonly { readonly name: string }[] };
}

export interface AdminResult {
  /** For people: lines. */
  readonly text: string;
  /** For programs: the answer of `--json`. */
  readonly json: unknown;
}

/** The command line was wrong: exit code 2. */
export class UsageError extends Error {}

type Option = { readonly type: 'string' | 'boolean'; readonly help: string };
type Values = Readonly<Record<string, string | boolean | undefined>>;

export interface AdminCommand {
  readonly summary: string;
  /** Arguments by name; one in brackets may be left out. */
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, Option>>;
  run(place: AdminPlace, positionals: readonly string[], values: Values): Promise<AdminResult>;
}

const text = (values: Values, name: string): string | undefined => (typeof values[name] === 'string' ? values[name] : undefined);
const flag = (values: Values, name: string): boolean => values[name] === true;

function required(values: Values, name: string): string {
  const value = text(values, name)?.trim();
  if (!value) throw new UsageError(`--${name} is missing.`);
  if (value.length > 500 || /[\p{Cc}\p{Cs}]/u.test(value)) throw new UsageError(`--${name} must be one line of at most 500 characters.`);
  return value;
}

function number(values: Values, name: string, least: number, most: number, whole: boolean): number | undefined {
  const given = text(values, name);
  if (given === undefined) return undefined;
  const value = Number(given);
  if (given.trim() === '' || !(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
    throw new UsageError(`--${name} is '${given}'; it must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}.`);
  }
  return value;
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `--until 2026-01-31T18:00:00Z` or `--for 7d`. */
function end(values: Values): Date | undefined {
  const until = text(values, 'until');
  const duration = text(values, 'for');
  if (until !== undefined && duration !== undefined) throw new UsageError('Give --until or --for, not both.');
  if (duration !== undefined) {
    const match = /^([1-9][0-9]{0,4})([mhdw])$/.exec(duration);
    if (!match) throw new UsageError(`--for is '${duration}'; write it as 30m, 12h, 7d or 4w.`);
    return new Date(Date.now() + Number(match[1]) * (UNIT_MS[match[2] as string] as number));
  }
  if (until === undefined) return undefined;
  const date = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(until) ? new Date(until) : undefined;
  if (!date || Number.isNaN(date.getTime())) {
    throw new UsageError(`--until is '${until}'; write it with its offset, as 2026-01-31T18:00:00Z or 2026-01-31T19:00:00+01:00.`);
  }
  return date;
}

const END: Readonly<Record<string, Option>> = {
  until: { type: 'string', help: 'when it ends: 2026-01-31T18:00:00Z' },
  for: { type: 'string', help: 'how long: 30m, 12h, 7d, 4w' },
};

async function accountNamed(place: AdminPlace, name: string): Promise<{ id: string; name: string; role: Role }> {
  const account = await accountByName(place.database, name);
  if (!account) throw new Error(`There is no account '${name}'. Its owner registers first, or create-account makes it.`);
  return account;
}

const run = <T>(place: AdminPlace, work: (transaction: Parameters<Parameters<Database['transaction']>[0]>[0], note: Note) => Promise<T>) =>
  act(place.database, COMMAND_ACTOR, work);

const whenEnds = (until: Date | null): string => (until ? `until ${until.toISOString()}` : 'until it is lifted');
const whomOf = (ban: Ban): string => (ban.account ? `account ${ban.account.name}` : `address ${ban.network}`);
const describeBan = (ban: Ban): string =>
  `${ban.id}  ${whomOf(ban)}, ${ban.liftedAt ? `lifted ${ban.liftedAt.toISOString()}` : whenEnds(ban.until)}: ${ban.reason}`;
const lines = (rows: readonly string[], none: string): string => (rows.length > 0 ? rows.join('\n') : none);

/** `--account NAME` or `--address NETWORK`, exactly one: a name may look like an address. */
function whom(values: Values): { readonly account: string } | { readonly address: string } {
  const account = text(values, 'account');
  const address = text(values, 'address');
  if ((account === undefined) === (address === undefined)) throw new UsageError('Give either --account NAME or --address ADDRESS.');
  return account !== undefined ? { account } : { address: address as string };
}

const WHOM: Readonly<Record<string, Option>> = {
  account: { type: 'string', help: 'name of an account' },
  address: { type: 'string', help: '203.0.113.7, 203.0.113.0/24, 2001:db8::1 (its /64) or 2001:db8::/48' },
};

const roleCommand = (role: Role, summary: string): AdminCommand => ({
  summary,
  positionals: ['NAME'],
  options: {},
  run: async (place, [name = '']) => {
    const account = await accountNamed(place, name);
    const { changed } = await setRole(place.database, COMMAND_ACTOR, account.id, role);
    const is = role === 'admin' ? 'an administrator' : 'no administrator';
    return {
      json: { account: { id: account.id, name: account.name }, role, changed },
      text: changed ? `'${account.name}' is ${is} now.` : `'${account.name}' is ${is} already; nothing has changed.`,
    };
  },
});

const shownOnce = (name: string, url: string, expiresAt: Date): string =>
  `Give this link to the owner of '${name}'. It sets a new password once, until ${expiresAt.toISOString()}, and is not shown again:\n${url}`;

export const ADMIN_COMMANDS: Readonly<Record<string, AdminCommand>> = {
  'make-admin': roleCommand('admin', 'give an existing account the role: the first administrator is made here'),
  'remove-admin': roleCommand('player', 'take the role away; the last administrator keeps it'),
  'create-account': {
    summary: 'make an account, and print the link with which its owner sets a password',
    positionals: ['NAME'],
    options: {},
    run: async (place, [name = '']) => {
      const made = await run(place, (transaction, note) => createAccount(transaction, note, COMMAND_ACTOR, place.settings, name));
      const { url, expiresAt } = made.link;
      return {
        json: { account: { id: made.id, name: made.name }, url, expiresAt },
        text: `The account '${made.name}' is made.\n${shownOnce(made.name, url, expiresAt)}`,
      };
    },
  },
  account: {
    summary: 'show an account: sessions, characters, where it plays, bans',
    positionals: ['NAME'],
    options: {},
    run: async (place, [name = '']) => {
      const { id } = await accountNamed(place, name);
      const state = await accountState(place.database, id);
      const play = state.play ? `${state.play.state} on ${state.play.serverId} since ${state.play.since.toISOString()}` : 'nowhere';
      const characters = state.characters.map((character) => `${character.name} (${character.realm}/${character.continent})`);
      return {
        json: state,
        text: [
          `${state.name} (${state.id}), ${state.role}, since ${state.createdAt.toISOString()}`,
          `sessions    ${state.sessions.count}`,
          `characters  ${characters.join(', ') || 'none'}`,
          `plays       ${play}`,
          ...(state.queue ? [`waits for   ${state.queue.serverId} since ${state.queue.since.toISOString()}`] : []),
          ...state.bans.map((ban) => `ban         ${describeBan(ban)}`),
        ].join('\n'),
      };
    },
  },
  'reset-link': {
    summary: 'print a link with which the owner of an account sets a new password',
    positionals: ['NAME'],
    options: { hours: { type: 'string', help: 'how long it can be used [24]' } },
    run: async (place, [name = ''], values) => {
      const hours = number(values, 'hours', 0.1, 168, false);
      const account = await accountNamed(place, name);
      const { url, expiresAt } = await run(place, (transaction, note) =>
        giveResetLink(transaction, note, COMMAND_ACTOR, place.settings, account.id, { hours }),
      );
      return { json: { account: { id: account.id, name: account.name }, url, expiresAt }, text: shownOnce(account.name, url, expiresAt) };
    },
  },
  invite: {
    summary: 'make an invitation, and print its code',
    positionals: [],
    options: {
      uses: { type: 'string', help: 'accounts that can be made with it [1]' },
      days: { type: 'string', help: 'days until it ends [14]' },
      note: { type: 'string', help: 'what it is for' },
    },
    run: async (place, _positionals, values) => {
      const uses = number(values, 'uses', 1, 1000, true);
      const days = number(values, 'days', 0.01, 365, false);
      const remark = values.note === undefined ? undefined : required(values, 'note');
      const invite = await run(place, (transaction, note) => giveInvite(transaction, note, COMMAND_ACTOR, { note: remark, uses, days }));
      const accounts = invite.uses === 1 ? 'one account' : `${invite.uses} accounts`;
      return {
        json: invite,
        text: `Good for ${accounts} until ${invite.expiresAt.toISOString()}, and not shown again:\n${invite.code}`,
      };
    },
  },
  invites: {
    summary: 'list invitations, without their codes',
    positionals: [],
    options: {},
    run: async (place) => {
      const invites = await listInvites(place.database);
      const rows = invites.map(
        ({ id, usesLeft, usable, expiresAt, createdBy, note }) =>
          `${id}  ${usable ? `${usesLeft} left` : 'used up or over'}, until ${expiresAt.toISOString()}, by ${createdBy ?? 'the command'}${note ? `: ${note}` : ''}`,
      );
      return { json: { invites }, text: lines(rows, 'There are no invitations.') };
    },
  },
  'revoke-invite': {
    summary: 'revoke an invitation',
    positionals: ['ID'],
    options: {},
    run: async (place, [id = '']) => {
      await run(place, (transaction, note) => revokeInvite(transaction, note, id));
      return { json: { id }, text: `The invitation ${id} is revoked.` };
    },
  },
  ban: {
    summary: 'ban an account or an address; whoever plays is kicked',
    positionals: [],
    options: {
      ...WHOM,
      reason: { type: 'string', help: 'the player reads it' },
      ...END,
      force: { type: 'boolean', help: 'also a network wider than /8 (IPv6: /32)' },
    },
    run: async (place, _positionals, values) => {
      const target = whom(values);
      const reason = required(values, 'reason');
      const until = end(values);
      const id = 'account' in target ? (await accountNamed(place, target.account)).id : undefined;
      const { ban, removal } = await run(place, (transaction, note) =>
        'address' in target
          ? banNetwork(transaction, note, COMMAND_ACTOR, target.address, { reason, until }, { force: flag(values, 'force') })
          : banAccount(transaction, note, COMMAND_ACTOR, id as string, { reason, until }),
      );
      return {
        json: { ban, removal },
        text: `${describeBan(ban)}\nSessions ended: ${removal.loggedOut}. Players ordered to be kicked: ${removal.kicked}.`,
      };
    },
  },
  unban: {
    summary: 'lift a ban by its id, or every ban of an account or of exactly an address',
    positionals: ['[ID]'],
    options: WHOM,
    run: async (place, [id], values) => {
      if (id !== undefined && (values.account !== undefined || values.address !== undefined)) {
        throw new UsageError('Give either the id of a ban, --account NAME or --address ADDRESS.');
      }
      const lifted = id !== undefined ? await liftOne(place, id) : await liftAll(place, whom(values));
      return { json: { lifted }, text: lifted.map((ban) => `Lifted: ${describeBan(ban)}`).join('\n') };
    },
  },
  bans: {
    summary: 'list active bans',
    positionals: [],
    options: {
      ...WHOM,
      all: { type: 'boolean', help: 'also those that were lifted or have ended' },
      limit: { type: 'string', help: 'the latest so many [50]' },
    },
    run: async (place, _positionals, values) => {
      const limit = number(values, 'limit', 1, 1000, true) ?? 50;
      const account = text(values, 'account');
      const address = text(values, 'address');
      const bans = await searchBans(place.database, {
        state: flag(values, 'all') ? 'all' : 'active',
        account: account === undefined ? undefined : (await accountNamed(place, account)).id,
        network: address === undefined ? undefined : requireNetwork(address).cidr,
        limit,
      });
      return { json: { bans }, text: lines(bans.map(describeBan), 'There are no such bans.') };
    },
  },
  maintenance: {
    summary: 'close a realm for newcomers (--message), open it again (--end), or list closed realms',
    positionals: ['[REALM]'],
    options: { message: { type: 'string', help: 'players read it' }, ...END, end: { type: 'boolean', help: 'open the realm again' } },
    run: async (place, [realm], values) => {
      if (realm === undefined) {
        if (Object.values(values).some((value) => value !== undefined)) throw new UsageError('Name the realm.');
        const realms = await listMaintenance(place.database);
        const rows = realms.map(
          ({ realm: name, message, until }) => `${name}${until ? ` (expected until ${until.toISOString()})` : ''}: ${message}`,
        );
        return { json: { realms }, text: lines(rows, 'No realm is under maintenance.') };
      }
      if (flag(values, 'end')) {
        if (values.message !== undefined) throw new UsageError('Give --message or --end, not both.');
        const ended = await run(place, (transaction, note) => endMaintenance(transaction, note, place.settings.realms, realm));
        return { json: { realm, ended }, text: ended ? `The realm '${realm}' is open again.` : `The realm '${realm}' was open already.` };
      }
      const message = required(values, 'message');
      const until = end(values);
      const started = await run(place, (transaction, note) =>
        startMaintenance(transaction, note, COMMAND_ACTOR, place.settings.realms, { realm, message, until }),
      );
      return { json: started, text: `The realm '${realm}' takes no newcomers until you end it. Whoever plays stays.` };
    },
  },
  audit: {
    summary: 'show who decided what, the newest first',
    positionals: [],
    options: {
      action: { type: 'string', help: 'an area such as ban, or an action such as ban.made' },
      account: { type: 'string', help: 'only what was done to this account' },
      by: { type: 'string', help: 'only what this account did' },
      before: { type: 'string', help: 'the last id of the page before' },
      limit: { type: 'string', help: 'entries [50]' },
    },
    run: async (place, _positionals, values) => {
      const limit = number(values, 'limit', 1, 1000, true) ?? 50;
      const account = text(values, 'account');
      const by = text(values, 'by');
      const before = text(values, 'before');
      if (before !== undefined && !/^[0-9]{1,18}$/.test(before))
        throw new UsageError(`--before is '${before}'; it must be the id of an entry.`);
      const entries = await readAudit(place.database, {
        action: text(values, 'action'),
        target: account === undefined ? undefined : `account:${(await accountNamed(place, account)).id}`,
        actor: by === undefined ? undefined : (await accountNamed(place, by)).id,
        before,
        limit,
      });
      const rows = entries.map(
        ({ id, at, actor, action, target, details }) =>
          `${id}  ${at.toISOString()}  ${actor.name}  ${action}  ${target}  ${JSON.stringify(details)}`,
      );
      return { json: { entries }, text: lines(rows, 'There are no such entries.') };
    },
  },
};

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

async function liftOne(place: AdminPlace, id: string): Promise<Ban[]> {
  if (!UUID.test(id)) throw new UsageError(`'${id}' is no id of a ban; an account is named with --account, an address with --address.`);
  return [await run(place, (transaction, note) => liftBan(transaction, note, COMMAND_ACTOR, id))];
}

async function liftAll(place: AdminPlace, target: { readonly account: string } | { readonly address: string }): Promise<Ban[]> {
  const of =
    'account' in target ? { accountId: (await accountNamed(place, target.account)).id } : { network: requireNetwork(target.address).cidr };
  return run(place, async (transaction, note) => {
    const bans = await activeBansOf(transaction, of);
    if (bans.length === 0) {
      throw new Error(
        'account' in target
          ? `'${target.account}' is not banned. Its address may be: 'bans --address ADDRESS' shows that.`
          : `${requireNetwork(target.address).cidr} is not banned itself; 'bans --address ${target.address}' shows the networks that it lies in.`,
      );
    }
    const lifted: Ban[] = [];
    for (const { id } of bans) lifted.push(await liftBan(transaction, note, COMMAND_ACTOR, id));
    return lifted;
  });
}
