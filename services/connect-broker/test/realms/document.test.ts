/** What the list of realms says, computed from servers and numbers alone. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { WorldServer } from '../../src/discovery/view.ts';
import { NO_NUMBERS, type Numbers, numbersCurrency, realmEntries, serversCurrency, type WorldNumbers } from '../../src/realms/document.ts';
import { testSettings } from '../support/broker.ts';

const { realms } = testSettings();
const world =
  (phase: WorldServer['phase'], only?: string) =>
  (realm: string, continent: string): WorldServer | undefined =>
    only === undefined || continent === only ? { realm, continent, serverId: `world:${realm}/${continent}`, phase } : undefined;
const numbersOf = (serverId: string, some: Partial<WorldNumbers>): Numbers => ({
  worlds: new Map([[serverId, { reserved: 0, active: 0, held: 0, queued: 0, accepting: true, ...some }]]),
  maintenance: new Map(),
});
/** Umbra has one continent, so its status is that continent's. */
const umbra = (phase: WorldServer['phase'], numbers: Numbers = NO_NUMBERS) => {
  const entry = realmEntries(realms, world(phase), numbers).find(({ name }) => name === 'umbra');
  assert.ok(entry);
  return entry;
};
const NIGHTFALL = 'world:umbra/nightfall';

describe('The list of realms', () => {
  it('says online for a server that is ready and has never reported', () => assert.equal(umbra('ready').status, 'online'));
  it('says starting for a server on its way up', () => assert.equal(umbra('starting').status, 'starting'));
  it('says asleep where no server is wanted', () => assert.equal(umbra('asleep').status, 'asleep'));
  it('says offline where nothing is', () => assert.equal(umbra('missing').status, 'offline'));
  it('says offline for a world that was never heard of', () =>
    assert.equal(realmEntries(realms, () => undefined, NO_NUMBERS)[0]?.status, 'offline'));
  it('says draining for a server that is being stopped', () => assert.equal(umbra('stopping').status, 'draining'));
  it('says draining for a server that takes nobody', () =>
    assert.equal(umbra('ready', numbersOf(NIGHTFALL, { accepting: false })).status, 'draining'));
  it('says online when it was the pod before that let nobody in', () =>
    assert.equal(umbra('ready', numbersOf(NIGHTFALL, { accepting: false, podUid: 'the pod before' })).status, 'online'));
  it('says full when reserved, active and held places are all there are', () =>
    assert.equal(umbra('ready', { ...numbersOf(NIGHTFALL, { reserved: 1, held: 1 }) }).status, 'full'));
  it('says full while somebody waits, because a newcomer has to wait as well', () =>
    assert.equal(umbra('ready', numbersOf(NIGHTFALL, { queued: 1 })).status, 'full'));
  it('counts as players only those who are in the world', () =>
    assert.equal(umbra('ready', numbersOf(NIGHTFALL, { reserved: 1, active: 1 })).players, 1));
  it('says maintenance for a closed realm, whatever its servers do', () => {
    const closed: Numbers = { worlds: new Map(), maintenance: new Map([['umbra', { message: 'New roofs.', until: null }]]) };
    assert.equal(umbra('ready', closed).status, 'maintenance');
  });
  it('says why a realm is closed and until when', () => {
    const until = new Date('2026-03-01T12:00:00Z');
    const closed: Numbers = { worlds: new Map(), maintenance: new Map([['umbra', { message: 'New roofs.', until }]]) };
    assert.deepEqual(umbra('ready', closed).maintenance, { message: 'New roofs.', until: '2026-03-01T12:00:00.000Z' });
  });
  it('gives a realm the best status of its continents', () => {
    const [aurora] = realmEntries(realms, world('ready', 'sunreach'), NO_NUMBERS);
    assert.equal(aurora?.status, 'online');
  });
  it('adds up the capacity of a realm', () => assert.equal(realmEntries(realms, world('ready'), NO_NUMBERS)[0]?.capacity, 103));
});

describe('What is out of date', () => {
  const now = Date.parse('2026-03-01T12:00:00Z');
  it('is not a number of two seconds ago', () => assert.deepEqual(numbersCurrency(now - 2_000, now), { current: true, asOf: null }));
  it('is a number of ten seconds ago, and it says of when', () =>
    assert.deepEqual(numbersCurrency(now - 10_000, now), { current: false, asOf: '2026-03-01T11:59:50.000Z' }));
  it('is a number that was never read', () => assert.deepEqual(numbersCurrency(undefined, now), { current: false, asOf: null }));
  it('is not a view of four minutes ago', () =>
    assert.deepEqual(serversCurrency(true, 240, now, undefined), { current: true, asOf: null }));
  it('is a view of ten minutes ago', () =>
    assert.deepEqual(serversCurrency(true, 600, now, undefined), { current: false, asOf: '2026-03-01T11:50:00.000Z' }));
  it('keeps its time while it goes on, so that the document stays the same', () => {
    const before = serversCurrency(true, 600, now, undefined);
    assert.equal(serversCurrency(true, 601.4, now + 1_500, before), before);
  });
  it('is a view that was never synchronised', () => assert.equal(serversCurrency(false, 0, now, undefined).current, false));
});
