/**
 * The issuers of the settings, each discovered when it is first needed.
 * It deliberately asks no issuer at the start: one that is away keeps nobody from playing.
 */
import { readFileSync } from 'node:fs';
import * as openid from 'openid-client';
import { Problem } from '../problem.ts';
import type { Settings } from '../settings.ts';

export type Provider = Settings['openId'][number];

export interface Providers {
  readonly all: readonly Provider[];
  /** @throws Problem `not-found` */
  named(name: string): Provider;
  /** @throws Problem `unavailable` while the issuer cannot be reached or describes itself wrongly */
  configuration(provider: Provider): Promise<openid.Configuration>;
  /** The provider of an issuer as its tokens name it; undefined when the settings do not have it any more. */
  ofIssuer(issuer: string): Provider | undefined;
}

/** Seconds that an issuer has for an answer: somebody waits. */
const TIMEOUT_SECONDS = 5;
/** Metadata changes rarely; keys are fetched anew by the library when a token names an unknown one. */
const KEPT_MS = 6 * 3_600_000;
/** After a failure the next attempt waits, so that an issuer that is down costs no five seconds for each of many. */
const RETRY_MS = 5_000;

interface Discovered {
  readonly configuration: Promise<openid.Configuration>;
  readonly at: number;
}

export function openProviders(all: readonly Provider[], { now = Date.now }: { readonly now?: () => number } = {}): Providers {
  const discovered = new Map<string, Discovered>();
  const failedAt = new Map<string, number>();

  const discover = (provider: Provider): Promise<openid.Configuration> => {
    const known = discovered.get(provider.name);
    if (known && now() - known.at < KEPT_MS) return known.configuration;
    if (now() - (failedAt.get(provider.name) ?? Number.NEGATIVE_INFINITY) < RETRY_MS) {
      return known ? known.configuration : Promise.reject(new Error('The issuer could not be reached a moment ago.'));
    }
    const configuration = openid
      .discovery(new URL(provider.issuer), provider.clientId, undefined, clientAuthentication(provider), {
        timeout: TIMEOUT_SECONDS,
        // An issuer of http: is one in the cluster or on this machine, because somebody has written it so.
        execute: [openid.enableNonRepudiationChecks, ...(provider.issuer.startsWith('http:') ? [openid.allowInsecureRequests] : [])],
      })
      .then((found) => {
        failedAt.delete(provider.name);
        return found;
      });
    const mine: Discovered = { configuration, at: now() };
    discovered.set(provider.name, mine);
    configuration.catch(() => {
      failedAt.set(provider.name, now());
      // What was known before is better than nothing.
      if (discovered.get(provider.name) !== mine) return;
      if (known) discovered.set(provider.name, known);
      else discovered.delete(provider.name);
    });
    return known ? configuration.catch(() => known.configuration) : configuration;
  };

  return {
    all,
    named: (name) => {
      const provider = all.find((candidate) => candidate.name === name);
      if (provider) return provider;
      throw new Problem('not-found', `Nobody can log in through '${name}' here; GET /v1/openid lists the providers.`);
    },
    configuration: async (provider) => {
      try {
        return await discover(provider);
      } catch {
        throw new Problem('unavailable', `${provider.title} cannot be reached at the moment. Try again, or log in another way.`, {
          retryAfterSeconds: RETRY_MS / 1000,
        });
      }
    },
    ofIssuer: (issuer) => all.find((provider) => sameUrl(provider.issuer, issuer)),
  };
}

const sameUrl = (one: string, other: string): boolean =>
  one === other || (URL.canParse(one) && URL.canParse(other) && new URL(one).href === new URL(other).href);

/** The secret is read for each use, so that a rotation needs no restart. A client without one has PKCE alone. */
function clientAuthentication({ clientSecretFile }: Provider): openid.ClientAuth {
  if (clientSecretFile === undefined) return openid.None();
  return (server, client, body, headers) => {
    const secret = readFileSync(clientSecretFile, 'utf8').trim();
    // Basic is what an issuer takes that says nothing (OpenID Connect Discovery, section 3).
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const authenticate = methods.includes('client_secret_basic') ? openid.ClientSecretBasic(secret) : openid.ClientSecretPost(secret);
    authenticate(server, client, body, headers);
  };
}
