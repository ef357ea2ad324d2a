/**
 * The list of realms with their status, players and queues, as it is at the moment.
 * It deliberately enters none; who may is given a button by the caller.
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ContinentEntry, RealmEntry, RealmStatus, RealmsDocument } from '../../src/realms/document.ts';
import type { LiveRealms } from '../live.ts';
import { announce, dateText, Heading, Notice } from '../parts.tsx';
import { texts } from '../texts.ts';

const Status = ({ status }: { readonly status: RealmStatus }) => <span class={`badge ${status}`}>{texts.status[status]}</span>;

/** Realms whose status has changed are told to those who listen; numbers change all the time and are not. */
function useAnnouncedChanges(document: RealmsDocument | undefined): void {
  const before = useRef<ReadonlyMap<string, RealmStatus>>();
  useEffect(() => {
    if (!document) return;
    const changed = document.realms.filter(({ name, status }) => before.current && before.current.get(name) !== status);
    if (changed.length > 0) announce(changed.map(({ title, status }) => texts.realms.changed(title, texts.status[status])).join(' '));
    before.current = new Map(document.realms.map(({ name, status }) => [name, status]));
  }, [document]);
}

export function RealmList({
  realms: { document, liveness },
  action,
}: {
  readonly realms: LiveRealms;
  /** The button of a continent. @default none */
  readonly action?: (realm: RealmEntry, continent: ContinentEntry) => ComponentChildren;
}) {
  useAnnouncedChanges(document);
  if (!document)
    return liveness === 'lost' ? <Notice tone="bad">{texts.failures.unreachable}</Notice> : <p class="lead">{texts.realms.loading}</p>;
  return (
    <div class="stack">
      {liveness === 'lost' && <Notice tone="wait">{texts.realms.lost}</Notice>}
      {!document.servers.current && <Notice tone="wait">{texts.realms.serversOld}</Notice>}
      {!document.numbers.current && (
        <Notice tone="wait">{texts.realms.numbersOld(document.numbers.asOf === null ? undefined : dateText(document.numbers.asOf))}</Notice>
      )}
      <div class="columns">
        {document.realms.map((realm) => (
          <section key={realm.name} class="card" aria-labelledby={`realm-${realm.name}`}>
            <div class="row apart">
              <h2 id={`realm-${realm.name}`}>{realm.title}</h2>
              <Status status={realm.status} />
            </div>
            {realm.maintenance && (
              <Notice tone="wait">
                {texts.realms.maintenance(
                  realm.maintenance.message,
                  realm.maintenance.until ? dateText(realm.maintenance.until) : undefined,
                )}
              </Notice>
            )}
            {realm.continents.map((continent) => (
              <div class="continent" key={continent.name}>
                <div class="row">
                  <h3>{continent.title}</h3>
                  {continent.status !== realm.status && <Status status={continent.status} />}
                </div>
                {action?.(realm, continent)}
                <p class="numbers soft">
                  {texts.realms.players(continent.players, continent.capacity)}
                  {continent.queue > 0 && ` · ${texts.realms.queue(continent.queue)}`}
                  {continent.status === 'asleep' && ` · ${texts.realms.asleepHint}`}
                </p>
                <meter
                  class="numbers"
                  min={0}
                  max={continent.capacity}
                  value={Math.min(continent.players, continent.capacity)}
                  aria-label={texts.realms.meter(continent.title)}
                />
              </div>
            ))}
          </section>
        ))}
      </div>
      {liveness !== 'lost' && <p class={`soft ${liveness}`}>{texts.realms[liveness]}</p>}
    </div>
  );
}

export function RealmsView({ realms }: { readonly realms: LiveRealms }) {
  return (
    <>
      <div>
        <Heading>{texts.realms.title}</Heading>
        <p class="lead">{texts.realms.lead}</p>
      </div>
      <RealmList realms={realms} />
    </>
  );
}
