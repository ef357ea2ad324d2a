/**
 * Where processes listen, as Linux's /proc tells it. It deliberately knows TCP only: none of the servers here answers anything else.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** State of a socket that waits for connections, in /proc/net/tcp. */
const LISTEN = '0A';

/**
 * Addresses other than loopback's on which these processes listen, such as `0.0.0.0:8082`, each with the process's name.
 * @returns nothing where there is no /proc to ask
 */
export function listeningElsewhere(pids: readonly number[]): string[] {
  return pids.flatMap((pid) => {
    const inodes = socketsOf(pid);
    return ['tcp', 'tcp6']
      .flatMap((table) => listeners(lines(`/proc/${pid}/net/${table}`)))
      .filter(({ inode, address }) => inodes.has(inode) && !isLoopback(address))
      .map(({ address }) => `${nameOf(pid)} on ${address}`);
  });
}

/** The sockets of a table that wait for connections. @param table lines of /proc/net/tcp or tcp6, its head included */
export function listeners(table: readonly string[]): { readonly address: string; readonly inode: string }[] {
  return table.slice(1).flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    return state === LISTEN ? [{ address: addressOf(local), inode }] : [];
  });
}

function socketsOf(pid: number): Set<string> {
  try {
    return new Set(
      readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
        try {
          return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
        } catch {
          // It was closed meanwhile.
          return [];
        }
      }),
    );
  } catch {
    return new Set();
  }
}

/** `0100007F:1F90` → `127.0.0.1:8080`: each four bytes in the order of the machine, which is little-endian wherever these programs run. */
function addressOf(hexadecimal: string): string {
  const [address = '', port = ''] = hexadecimal.split(':');
  const bytes = (address.match(/.{8}/g) ?? []).flatMap((word) =>
    (word.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16)),
  );
  const text =
    bytes.length === 4
      ? bytes.join('.')
      : `[${bytes
          .map((byte) => byte.toString(16).padStart(2, '0'))
          .join('')
          .replace(/(....)(?=.)/g, '$1:')}]`;
  return `${text}:${Number.parseInt(port, 16)}`;
}

/** @param address as `listeners` gives it */
export function isLoopback(address: string): boolean {
  return (
    address.startsWith('127.') ||
    address.startsWith('[0000:0000:0000:0000:0000:0000:0000:0001]') ||
    address.startsWith('[0000:0000:0000:0000:0000:ffff:7f')
  );
}

function nameOf(pid: number): string {
  return lines(`/proc/${pid}/comm`)[0] ?? `process ${pid}`;
}

function lines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n');
  } catch {
    return [];
  }
}
