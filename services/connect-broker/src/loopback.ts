/**
 * Which hosts of URLs are this machine.
 * It deliberately resolves nothing: a name that happens to lead here is not meant.
 */

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** @param hostname as `URL.hostname` has it: an IPv6 address in brackets */
export const isLoopbackHost = (hostname: string): boolean => LOOPBACK.has(hostname);
