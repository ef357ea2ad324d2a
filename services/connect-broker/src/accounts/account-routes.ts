/**
 * HTTP: making an account, looking at it, changing its password and address, taking it along, and deleting it.
 * It deliberately holds no rules; they are in the files that it calls.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { audit } from '../admin/audit.ts';
import type { Broker } from '../broker.ts';
import type { Mailer } from '../mail/mailer.ts';
import { Problem } from '../problem.ts';
import { clientAddress } from './attempts.ts';
import { type Authenticated, notLoggedIn, requireAccount } from './authenticate.ts';
import { sendConfirmation, storeEmail } from './email.ts';
import { exportAccount } from './export.ts';
import { proveAgain } from './login.ts';
import { normalizedPassword } from './password-rules.ts';
import { makeRecoveryCodes, requireGoodPassword } from './recovery.ts';
import { register } from './registration.ts';
import { emailAddress, givenPassword, inviteCode, newName, newPassword, refinePassword, SESSION_NEEDED } from './schemas.ts';
import { clearSessionCookie, endSessions, handOver, loginAnswer, requireOriginFor, sessionDevice, sessionKind } from './sessions.ts';

export const recoveryCodesAnswer = z.object({
  recoveryCodes: z.array(z.string()).describe('Each sets a new password once. Shown only here: print them.'),
});
export const registeredAnswer = loginAnswer.extend(recoveryCodesAnswer.shape);

const meAnswer = z.object({
  id: z.uuid(),
  name: z.string(),
  role: z.enum(['player', 'admin']),
  email: z.string().nullable(),
  emailConfirmed: z.boolean(),
  hasPassword: z.boolean().describe('False for an account that logs in through another provider only.'),
  recoveryCodesLeft: z.int(),
  createdAt: z.iso.datetime(),
});

/** What may be done again and again by anybody costs a hash or a mail: so often from one address (IPv6: one /64) at one replica. */
const REGISTRATIONS = { max: 60, timeWindow: '10 minutes' };

export const accountOnlyRoutes =
  (broker: Broker, mailer: Mailer | undefined): FastifyPluginAsyncZod =>
  async (application) => {
    const { database, settings, passwords } = broker;

    application.get(
      '/v1/registration',
      {
        schema: {
          tags: ['accounts'],
          summary: 'How accounts are made here',
          security: [],
          response: {
            200: z.object({
              registration: z.enum(['invite', 'open', 'closed']),
              resetByMail: z.boolean().describe('Whether links for a new password can be asked for by mail.'),
            }),
          },
        },
      },
      async () => ({ registration: settings.registration, resetByMail: mailer !== undefined }),
    );

    application.post(
      '/v1/accounts',
      {
        config: { rateLimit: REGISTRATIONS },
        schema: {
          tags: ['accounts'],
          summary: 'Make an account and log in',
          security: [],
          body: z
            .object({
              name: newName,
              password: newPassword,
              email: emailAddress.optional().describe('For links that set a new password; to be confirmed. Nothing else is sent there.'),
              invite: inviteCode.optional(),
              kind: sessionKind.default('bearer'),
              device: sessionDevice.optional(),
            })
            .superRefine(refinePassword),
          response: { 201: registeredAnswer },
        },
      },
      async (request, reply) => {
        const { name, password, email, invite, kind, device } = request.body;
        requireOriginFor(broker, request, kind);
        const { account, recoveryCodes, opened } = await register(broker, {
          name,
          password,
          email,
          invite,
          address: clientAddress(request),
          session: { kind, device },
        });
        if (email !== undefined && mailer) await sendConfirmation(broker, mailer, account.id, email);
        reply.status(201);
        return { account, recoveryCodes, ...(await handOver(broker, request, reply, opened)) };
      },
    );

    application.get(
      '/v1/account',
      { schema: { tags: ['accounts'], summary: 'The account that is logged in', security: SESSION_NEEDED, response: { 200: meAnswer } } },
      async (request) => {
        const who = await requireAccount(broker, request);
        const [row] = await database.query<{
          email: string | null;
          confirmed: boolean;
          has_password: boolean;
          codes: number;
          created_at: Date;
        }>(
          `select email, email_confirmed_at is not null as confirmed, password_hash is not null as has_password, created_at,
             (select count(*)::int from recovery_codes where account_id = accounts.id and used_at is null) as codes
           from accounts where id = $1`,
          [who.accountId],
        );
        if (!row) throw notLoggedIn();
        return {
          id: who.accountId,
          name: who.accountName,
          role: who.role,
          email: row.email,
          emailConfirmed: row.confirmed,
          hasPassword: row.has_password,
          recoveryCodesLeft: row.codes,
          createdAt: row.created_at.toISOString(),
        };
      },
    );

    application.post(
      '/v1/account/password',
      {
        schema: {
          tags: ['accounts'],
          summary: 'Change the password; ends all other sessions',
          description: 'An account that has no password yet gets its first one within ten minutes of a log-in.',
          security: SESSION_NEEDED,
          body: z.object({ currentPassword: givenPassword.optional(), newPassword }),
          response: { 200: z.object({ sessionsEnded: z.int() }) },
        },
      },
      async (request) => {
        const who = await requireAccount(broker, request);
        const { currentPassword, newPassword: chosen } = request.body;
        requireGoodPassword(chosen, who.accountName);
        await proveAgain(broker, who, { password: currentPassword, address: clientAddress(request), freshIsEnough: false });
        const hash = await passwords.hash(normalizedPassword(chosen));
        const sessionsEnded = await database.transaction(async (transaction) => {
          await transaction.query('update accounts set password_hash = $2 where id = $1', [who.accountId, hash]);
          await transaction.query('delete from reset_links where account_id = $1', [who.accountId]);
          return endSessions(transaction, who.accountId, who.sessionId);
        });
        return { sessionsEnded };
      },
    );

    application.post(
      '/v1/account/recovery-codes',
      {
        schema: {
          tags: ['accounts'],
          summary: 'A new set of recovery codes; the old ones end',
          security: SESSION_NEEDED,
          body: z.object({ password: givenPassword.optional() }),
          response: { 201: recoveryCodesAnswer },
        },
      },
      async (request, reply) => {
        const who = await requireAccount(broker, request);
        await proveAgain(broker, who, { password: request.body.password, address: clientAddress(request), freshIsEnough: true });
        const recoveryCodes = await database.transaction((transaction) => makeRecoveryCodes(transaction, who.accountId));
        reply.status(201);
        return { recoveryCodes };
      },
    );

    application.put(
      '/v1/account/email',
      {
        config: { rateLimit: { max: 10, timeWindow: '10 minutes' } },
        schema: {
          tags: ['accounts'],
          summary: 'Store an e-mail address, or take it out',
          description: 'It is used for links that set a new password, once it is confirmed by the link that is sent to it.',
          security: SESSION_NEEDED,
          body: z.object({ email: emailAddress.nullable(), password: givenPassword.optional() }),
          response: { 200: z.object({ email: z.string().nullable(), confirmationSent: z.boolean() }) },
        },
      },
      async (request) => {
        const who = await requireAccount(broker, request);
        const { email, password } = request.body;
        // Whoever controls the address can set the password.
        await proveAgain(broker, who, { password, address: clientAddress(request), freshIsEnough: true });
        await storeEmail(broker, mailer, who.accountId, email ?? undefined);
        return { email, confirmationSent: email !== null && mailer !== undefined };
      },
    );

    application.get(
      '/v1/account/export',
      {
        config: { rateLimit: { max: 10, timeWindow: '1 minute' } },
        schema: {
          tags: ['accounts'],
          summary: 'Everything that is stored about the account',
          security: SESSION_NEEDED,
          response: { 200: z.record(z.string(), z.unknown()) },
        },
      },
      async (request, reply) => {
        const who = await requireAccount(broker, request);
        reply.header('content-disposition', 'attachment; filename="account.json"');
        return exportAccount(broker, who.accountId, who.accountName);
      },
    );

    application.delete(
      '/v1/account',
      {
        schema: {
          tags: ['accounts'],
          summary: 'Delete the account with its characters, for good',
          description: 'Needs the password, or a log-in within the last ten minutes. Servers drop its player at their next report.',
          security: SESSION_NEEDED,
          body: z.object({ password: givenPassword.optional() }).nullish(),
          response: { 204: z.null().describe('It is gone.') },
        },
      },
      async (request, reply) => {
        const who = await requireAccount(broker, request);
        await proveAgain(broker, who, { password: request.body?.password, address: clientAddress(request), freshIsEnough: true });
        await deleteAccount(broker, who);
        if (who.kind === 'cookie') clearSessionCookie(broker, reply);
        return reply.status(204).send(null);
      },
    );
  };

/** Deletes the row that everything else refers to. A server that still has its player reports a session that is not there, and is told to drop it. */
async function deleteAccount(broker: Broker, who: Authenticated): Promise<void> {
  await broker.database.transaction(async (transaction) => {
    await transaction.query('select lock_account($1)', [who.accountId]);
    // All administrators in one order, as where roles are taken: of the last two, one stays.
    const admins = await transaction.query<{ id: string }>("select id from accounts where role = 'admin' order by id for update");
    if (admins.length === 1 && admins[0]?.id === who.accountId) {
      throw new Problem('conflict', 'This is the last administrator. Make another account one first.');
    }
    await transaction.query('delete from accounts where id = $1', [who.accountId]);
    await audit(transaction, {
      actorId: who.accountId,
      actorName: who.accountName,
      action: 'account.deleted',
      target: `account:${who.accountId}`,
    });
    await transaction.query("select pg_notify('broker', 'queue')");
  });
}
