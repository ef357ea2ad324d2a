/**
 * Ports that nobody uses at the moment.
 * It deliberately reserves none: another program may take one before it is used, which then fails loudly.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** A UDP port of `address`. @returns undefined when the machine does not have that address */
export function freeUdpPort(address: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', () => resolve(undefined));
    socket.bind(0, address, () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

/** The first of `count` TCP ports in a row on 127.0.0.1. */
export async function freeTcpPorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const first = await tryTcpPort(0);
    const others = Array.from({ length: count - 1 }, (_, index) => (first ?? 0) + index + 1);
    if (first !== undefined && others.every((port) => port < 65_536) && (await Promise.all(others.map(tryTcpPort))).every(Boolean))
      return first;
  }
  throw new Error(`There are no ${count} free TCP ports in a row on 127.0.0.1.`);
}

function tryTcpPort(wanted: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });
}
