/**
 * PostgreSQL's parameters out of the size of its memory, its volume and the number of its clients.
 * It deliberately sets little: what is not here is PostgreSQL's or the operator's default, which fits.
 */
import { quantityValue } from '../model/quantities';

const MIB = 1024 ** 2;

export interface PostgresSizing {
  /** Memory limit of the container, such as `512Mi`. */
  readonly memory: string;
  /** Size of the volume, which holds data and write-ahead log alike. */
  readonly storage: string;
  /** Connections that the application may hold, over all of its replicas. */
  readonly clientConnections: number;
}

/** Connections beside the application's: reserved for the superuser (3), replication (10 walsenders have their own), the exporter, the operator, a person with psql, the migration. */
export const OTHER_CONNECTIONS = 15;

/** Parameters in the units that PostgreSQL takes. Throws when a quantity cannot be read; the model refuses those before. */
export function postgresParameters(sizing: PostgresSizing): Record<string, string> {
  const memory = mebibytes(sizing.memory);
  const storage = mebibytes(sizing.storage);
  const share = (fraction: number, least: number, most: number): string =>
    `${Math.min(most, Math.max(least, Math.floor(storage * fraction)))}MB`;
  return {
    // A transaction that somebody forgot holds locks and keeps rows alive; the broker's longest takes milliseconds.
    idle_in_transaction_session_timeout: '60s',
    log_min_duration_statement: '500ms',
    max_connections: String(sizing.clientConnections + OTHER_CONNECTIONS),
    // The page cache of the container counts as PostgreSQL's cache: half of the memory is left for it after buffers and processes.
    effective_cache_size: `${Math.floor(memory / 2)}MB`,
    shared_buffers: `${Math.floor(memory / 4)}MB`,
    // Bounded by the volume: the defaults (1 GB between checkpoints, 512 MB kept for replicas, no bound for a replica that is away) fill a small one.
    max_slot_wal_keep_size: share(0.2, 128, 4096),
    max_wal_size: share(0.1, 128, 1024),
    wal_keep_size: share(0.05, 64, 512),
    // The operator's default is `logical`, which writes more; nothing decodes the log here.
    wal_level: 'replica',
  };
}

function mebibytes(text: string): number {
  const value = quantityValue(text);
  if (value === undefined) throw new Error(`'${text}' is not a quantity of bytes such as '512Mi'.`);
  return value / MIB;
}
