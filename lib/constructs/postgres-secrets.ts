/**
 * The passwords of the database's two roles, by their identities: sealed once for the database and once for the broker, with the same value.
 * It deliberately makes no Secret: the two charts do, each in its own namespace.
 */
import type { SecretKey } from '../secrets/spec';

/** Password of the role that owns the database and its schema. */
export const ownerPassword: SecretKey = { value: 'database/broker-owner-password', source: { generate: 'password' } };

/** Password of the role with which the broker serves. */
export const applicationPassword: SecretKey = { value: 'database/broker-password', source: { generate: 'password' } };
