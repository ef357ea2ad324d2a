/**
 * Sends mail over SMTP, as plain text.
 * It deliberately keeps no queue: what could not be sent is logged without its address, and whoever waits for it asks again.
 */
import { readFile } from 'node:fs/promises';
import type { FastifyBaseLogger } from 'fastify';
import { createTransport } from 'nodemailer';
import { isLoopbackHost } from '../loopback.ts';
import type { Settings } from '../settings.ts';

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

export interface Mailer {
  /** @throws when the server could not be reached or refused the mail */
  send(mail: Mail): Promise<void>;
  /** Sends without anybody waiting, so that an answer takes as long with a mail as without. Failures are logged. */
  sendLater(mail: Mail): void;
  /** Resolves when nothing is being sent any more. */
  idle(): Promise<void>;
}

const TIMEOUT_MS = 10_000;
/** Mails that may be on their way at once; more are dropped and logged, because a mail server that hangs must cost no memory. */
const MOST_UNDER_WAY = 50;

/** @param settings the URL's file (smtps://user:password@host:465) is read for each mail, so that a rotation needs no restart */
export function openMailer({ from, smtpUrlFile }: NonNullable<Settings['mail']>, log: FastifyBaseLogger): Mailer {
  const underWay = new Set<Promise<void>>();
  const send = async ({ to, subject, text }: Mail) => {
    const url = (await readFile(smtpUrlFile, 'utf8')).trim();
    const transport = createTransport({
      url,
      // With smtp:// a server that offers no STARTTLS would otherwise get password and links in clear. On loopback there is nobody to listen.
      requireTLS: !isLoopbackHost(new URL(url).hostname),
      connectionTimeout: TIMEOUT_MS,
      greetingTimeout: TIMEOUT_MS,
      socketTimeout: TIMEOUT_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    try {
      await transport.sendMail({ from, to, subject, text });
    } finally {
      transport.close();
    }
  };
  return {
    send,
    sendLater: (mail) => {
      if (underWay.size >= MOST_UNDER_WAY) {
        log.warn('a mail was dropped: too many are on their way; is the mail server slow?');
        return;
      }
      const sending: Promise<void> = send(mail)
        // The answer of a mail server repeats the address.
        .catch((error: { code?: unknown; responseCode?: unknown }) =>
          log.warn({ smtp: { code: error.code, responseCode: error.responseCode } }, 'a mail could not be sent'),
        )
        .finally(() => underWay.delete(sending));
      underWay.add(sending);
    },
    idle: async () => {
      await Promise.all(underWay);
    },
  };
}
