/**
 * The broker's own metrics, exactly those that lib/metrics.ts promises to rules and dashboards (a test compares them).
 * It deliberately labels nothing with an account, a character, a session or an address.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export const LOGIN_RESULTS = ['ok', 'wrong-credentials', 'locked', 'banned', 'throttled', 'overloaded', 'error'] as const;
export type LoginResult = (typeof LOGIN_RESULTS)[number];
export type TokenResult = 'issued' | 'queued' | 'starting' | 'outdated' | 'refused' | 'error';
export type ClaimResult = 'accepted' | 'superseded' | 'banned' | 'expired' | 'claimed' | 'mismatch' | 'error';
export type AllocationOutcome = 'allocated' | 'unallocated' | 'contention' | 'error';
export type TargetKind = 'world' | 'instance';

export type Metrics = ReturnType<typeof makeMetrics>;

export function makeMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const logins = new Counter({ name: 'mmo_broker_logins_total', help: 'Attempts to log in.', labelNames: ['result'] as const, registers });
  // From zero on: Prometheus sees no increase in a series that begins with its first event, and at home there may be few.
  for (const result of LOGIN_RESULTS) logins.inc({ result }, 0);
  return {
    registry,
    logins,
    requests: new Counter({
      name: 'mmo_broker_http_requests_total',
      help: 'Requests that were answered.',
      labelNames: ['route', 'method', 'status'] as const,
      registers,
    }),
    clientRequests: new Counter({
      name: 'mmo_broker_client_requests_total',
      help: 'Requests of players by where they seem to come from.',
      labelNames: ['network'] as const,
      registers,
    }),
    requestDuration: new Histogram({
      name: 'mmo_broker_http_request_duration_seconds',
      help: 'Time from the request to the end of the answer, without event streams.',
      labelNames: ['route', 'method'] as const,
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    passwordQueue: new Gauge({ name: 'mmo_broker_password_queue_length', help: 'Passwords that wait to be hashed.', registers }),
    tokens: new Counter({
      name: 'mmo_broker_tokens_total',
      help: 'Answers to connect.',
      labelNames: ['kind', 'target', 'result'] as const,
      registers,
    }),
    claims: new Counter({
      name: 'mmo_broker_claims_total',
      help: 'Claims of sessions by game servers.',
      labelNames: ['kind', 'target', 'result'] as const,
      registers,
    }),
    sessions: new Gauge({
      name: 'mmo_broker_sessions',
      help: 'Sessions that are played now.',
      labelNames: ['kind', 'target'] as const,
      registers,
    }),
    sessionSeconds: new Counter({
      name: 'mmo_broker_session_seconds_total',
      help: 'Time that was played, over all sessions.',
      labelNames: ['kind', 'target'] as const,
      registers,
    }),
    sessionsEnded: new Counter({
      name: 'mmo_broker_sessions_ended_total',
      help: 'Sessions that were played and are over, or were cut.',
      labelNames: ['kind', 'target', 'because'] as const,
      registers,
    }),
    queueLength: new Gauge({
      name: 'mmo_broker_queue_length',
      help: 'Players who wait for a place in a world.',
      labelNames: ['realm', 'continent'] as const,
      registers,
    }),
    queueOldest: new Gauge({
      name: 'mmo_broker_queue_oldest_seconds',
      help: 'How long the first of them has waited.',
      labelNames: ['realm', 'continent'] as const,
      registers,
    }),
    worldAsleep: new Gauge({
      name: 'mmo_broker_world_asleep',
      help: '1 while a world is scaled to zero.',
      labelNames: ['realm', 'continent'] as const,
      registers,
    }),
    allocations: new Counter({
      name: 'mmo_broker_allocations_total',
      help: 'Requests to Agones for an instance.',
      labelNames: ['fleet', 'result'] as const,
      registers,
    }),
    allocationDuration: new Histogram({
      name: 'mmo_broker_allocation_duration_seconds',
      help: 'Time from the request for an instance until players may enter it.',
      labelNames: ['fleet'] as const,
      buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120],
      registers,
    }),
    instancesReaped: new Counter({
      name: 'mmo_broker_instances_reaped_total',
      help: 'Servers of instances that the broker deleted because they did not end themselves.',
      labelNames: ['fleet', 'reason'] as const,
      registers,
    }),
    databaseUp: new Gauge({ name: 'mmo_broker_database_up', help: '1 when the last query succeeded.', registers }),
    databaseConnections: new Gauge({
      name: 'mmo_broker_database_connections',
      help: 'Connections of the pool.',
      labelNames: ['state'] as const,
      registers,
    }),
    viewAge: new Gauge({ name: 'mmo_broker_view_age_seconds', help: 'Seconds since the Kubernetes API was last heard.', registers }),
  };
}
