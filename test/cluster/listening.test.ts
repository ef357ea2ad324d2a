/** How /proc/net/tcp is read. No process is asked here. */
import { isLoopback, listeners } from './listening';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const line = (local: string, state: string) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 4711 1`;
const first = (local: string, state = '0A') => listeners([HEAD, line(local, state)])[0];

test('a listener has its address, its port and the inode of its socket', () => {
  expect(first('0100007F:1F90')).toEqual({ address: '127.0.0.1:8080', inode: '4711' });
});

test('a connection is no listener', () => {
  expect(first('0100007F:1F90', '01')).toBeUndefined();
});

test.each([
  ['127.0.0.1', '0100007F:1F90'],
  ['::1', '00000000000000000000000001000000:1F90'],
  ['::ffff:127.0.0.1', '0000000000000000FFFF00000100007F:1F90'],
])('%s is loopback', (_name, local) => {
  expect(isLoopback(first(local)?.address ?? '')).toBe(true);
});

test.each([
  ['every address', '00000000:1F90'],
  ['every IPv6 address', '00000000000000000000000000000000:1F90'],
  ['an address of a network', '0B01A8C0:1F90'],
])('%s is not', (_name, local) => {
  expect(isLoopback(first(local)?.address ?? '127.')).toBe(false);
});
