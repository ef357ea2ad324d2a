/**
 * A player's characters: make one, list them, delete one.
 * It deliberately never touches a character's state, owner or epoch; game servers do that through claims and releases (src/play).
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { requireAccount } from '../accounts/authenticate.ts';
import { NAME_INPUT_MOST, nameKey, nameMistakes, normalizedName } from '../accounts/names.ts';
import type { Broker } from '../broker.ts';
import { sqlState, violatedConstraint } from '../database/database.ts';
import { Problem } from '../problem.ts';

/** What a player can tell apart in a list; it also bounds what one account may store (10 × 64 KiB) and how many names it takes from others. */
export const MOST_CHARACTERS = 10;

const SECURITY: Record<string, string[]>[] = [{ bearer: [] }, { cookie: [] }];

const characterSchema = z.object({
  id: z.uuid(),
  name: z.string(),
  realm: z.string().describe('Home: where it enters when nothing else is said.'),
  continent: z.string(),
  createdAt: z.iso.datetime(),
  savedAt: z.iso.datetime().nullable().describe('When a game server last stored it; null for a new character.'),
  playing: z.boolean().describe('Whether it has a place on a server: it plays, is about to, or was just disconnected.'),
});

interface Row {
  readonly id: string;
  readonly name: string;
  readonly realm: string;
  readonly continent: string;
  readonly created_at: Date;
  readonly state_saved_at: Date | null;
  readonly playing: boolean;
}

/** Whether a character, called `character` in the statement, is owned by a server or has a place. */
const PLAYING = `(owner is not null or exists (
  select 1 from play_sessions as place where place.account_id = characters.account_id and place.character_id = characters.id and place.state <> 'ended'
    and takes_place(place.state, true, place.token_expires_at, place.held_until, broker_up_since())))`;

const told = (row: Row): z.output<typeof characterSchema> => ({
  id: row.id,
  name: row.name,
  realm: row.realm,
  continent: row.continent,
  createdAt: row.created_at.toISOString(),
  savedAt: row.state_saved_at?.toISOString() ?? null,
  playing: row.playing,
});

export const characterRoutes =
  (broker: Broker): FastifyPluginAsyncZod =>
  async (application) => {
    const { database, settings } = broker;

    application.post(
      '/v1/characters',
      {
        schema: {
          tags: ['characters'],
          summary: 'Makes a character.',
          description: `An account has at most ${MOST_CHARACTERS}. Names are unique over all realms, however they are spelled (NFKC, case folded). Problems: invalid, name-taken, conflict (too many).`,
          security: SECURITY,
          body: z.strictObject({
            name: z
              .string()
              .max(NAME_INPUT_MOST)
              .superRefine((name, context) => {
                for (const message of nameMistakes(name)) context.addIssue({ code: 'custom', message });
              }),
            realm: z.string().max(63),
            continent: z.string().max(63).optional().describe('@default the realm’s first'),
          }),
          response: { 201: characterSchema },
        },
      },
      async (request, reply) => {
        const { accountId } = await requireAccount(broker, request);
        const { name, realm: realmName, continent: continentName } = request.body;
        const realm = settings.realms.find((candidate) => candidate.name === realmName);
        const continent = realm?.continents.find((candidate) => continentName === undefined || candidate.name === continentName);
        if (!realm || !continent) {
          const at = realm ? '/continent' : '/realm';
          const right = (realm ? realm.continents : settings.realms).map((candidate) => candidate.name).join(', ');
          const problem = realm
            ? `the realm ${realm.name} has no such continent; it has ${right}`
            : `there is no such realm; there are ${right}`;
          throw new Problem('invalid', `body${at}: ${problem}`, { members: { mistakes: [{ in: 'body', at, problem }] } });
        }
        try {
          const row = await database.transaction(async (transaction) => {
            // Two requests at once must not both be the tenth.
            await transaction.query('select lock_account($1)', [accountId]);
            const [{ count } = { count: 0 }] = await transaction.query<{ count: number }>(
              'select count(*)::integer as count from characters where account_id = $1',
              [accountId],
            );
            if (count >= MOST_CHARACTERS)
              throw new Problem('conflict', `An account has at most ${MOST_CHARACTERS} characters. Delete one first.`);
            const [made] = await transaction.query<Row>(
              `insert into characters (account_id, name, name_key, realm, continent) values ($1, $2, $3, $4, $5)
               returning id, name, realm, continent, created_at, state_saved_at, false as playing`,
              [accountId, normalizedName(name), nameKey(name), realm.name, continent.name],
            );
            return made as Row;
          });
          return reply.status(201).send(told(row));
        } catch (error) {
          if (sqlState(error) === '23505' && violatedConstraint(error) === 'characters_name_key')
            throw new Problem('name-taken', `There is a character called ${normalizedName(name)} already, or one that is spelled alike.`);
          throw error;
        }
      },
    );

    application.get(
      '/v1/characters',
      {
        schema: {
          tags: ['characters'],
          summary: 'Lists one’s characters, the oldest first.',
          security: SECURITY,
          response: { 200: z.object({ characters: z.array(characterSchema), most: z.int().describe('How many an account may have.') }) },
        },
      },
      async (request) => {
        const { accountId } = await requireAccount(broker, request);
        const rows = await database.query<Row>(
          `select id, name, realm, continent, created_at, state_saved_at, ${PLAYING} as playing
           from characters where account_id = $1 order by created_at, id`,
          [accountId],
        );
        return { characters: rows.map(told), most: MOST_CHARACTERS };
      },
    );

    application.delete(
      '/v1/characters/:id',
      {
        schema: {
          tags: ['characters'],
          summary: 'Deletes a character and what is stored of it, for good. Its name is free again.',
          description: 'conflict: it plays, is about to, or was just disconnected: log out in the game first.',
          security: SECURITY,
          params: z.object({ id: z.uuid() }),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { accountId } = await requireAccount(broker, request);
        await database.transaction(async (transaction) => {
          await transaction.query('select lock_account($1)', [accountId]);
          const [row] = await transaction.query<{ playing: boolean }>(
            `select ${PLAYING} as playing from characters where id = $1 and account_id = $2 for update`,
            [request.params.id, accountId],
          );
          if (!row) throw new Problem('not-found', 'This account has no such character.');
          if (row.playing)
            throw new Problem('conflict', 'The character has a place on a server. Log out in the game first, or wait five minutes.');
          await transaction.query('delete from characters where id = $1', [request.params.id]);
        });
        return reply.status(204).send(null);
      },
    );
  };
