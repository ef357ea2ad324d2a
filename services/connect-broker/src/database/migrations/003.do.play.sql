-- Characters, and who plays where: every place on a server is a row, so that all replicas count the same.

create table characters (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references accounts on delete cascade,
  name text not null check (char_length(name) between 1 and 40),
  name_key text not null constraint characters_name_key unique,
  -- Home: where it enters when nothing else is said.
  realm text not null,
  continent text not null,
  created_at timestamptz not null default now(),
  -- The one server that may change it (`world:<realm>/<continent>` or `instance:<name>`); null while it plays nowhere.
  owner text,
  -- Counts the moves: whoever writes must name the present one.
  epoch bigint not null default 0,
  -- What the game stores of it, as the game writes it.
  state bytea check (octet_length(state) <= 65536),
  state_saved_at timestamptz
);
create index characters_by_account on characters (account_id);

-- What servers last told of themselves.
create table game_servers (
  server_id text primary key,
  pod_uid text not null,
  accepting boolean not null,
  build text not null,
  players integer not null,
  capacity integer not null,
  reported_at timestamptz not null default now()
);

-- A player's place on a server: reserved with the token, active from the claim, held after a disconnect, then ended.
create table play_sessions (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references accounts on delete cascade,
  character_id uuid not null references characters on delete cascade,
  server_id text not null,
  -- The pod that the token was made for; a claim by another one is refused.
  pod_uid text not null,
  -- The token's netcode client id, random and never reused: 1 to 2^63 - 1.
  client_id bigint not null constraint play_sessions_client_id unique,
  state text not null check (state in ('reserved', 'active', 'held', 'ended')),
  -- Why it ended: released, superseded, expired, lost, kicked, banned, handed-over.
  ended_because text,
  -- The character's epoch that this session holds; set by the claim.
  epoch bigint,
  created_at timestamptz not null default now(),
  -- reserved: the token's end; the place is kept 15 s longer.
  token_expires_at timestamptz not null,
  claimed_at timestamptz,
  -- active: when a report last named it.
  last_seen_at timestamptz,
  -- held: until when its place is kept.
  held_until timestamptz,
  ended_at timestamptz,
  -- The later session of the same account that took its place.
  superseded_by uuid references play_sessions on delete set null,
  superseded_at timestamptz
);
-- One account plays once: at most one session that was not superseded.
create unique index play_sessions_one_per_account on play_sessions (account_id) where state <> 'ended' and superseded_by is null;
create index play_sessions_by_server on play_sessions (server_id) where state <> 'ended';
create index play_sessions_by_account on play_sessions (account_id) where state <> 'ended';
create index play_sessions_by_end on play_sessions (ended_at) where state = 'ended';

-- One row for each world: what a connect locks, so that capacity and order hold over replicas.
create table worlds (
  server_id text primary key,
  realm text not null,
  continent text not null
);

create table queue_entries (
  id uuid primary key default gen_random_uuid(),
  -- The order; never reused.
  position bigint generated always as identity,
  server_id text not null references worlds on delete cascade,
  account_id uuid not null references accounts on delete cascade constraint queue_entries_one_per_account unique,
  character_id uuid not null references characters on delete cascade,
  entered_at timestamptz not null default now(),
  -- An entry that is not asked for within 60 s is gone; an open stream counts.
  polled_at timestamptz not null default now()
);
create index queue_entries_by_world on queue_entries (server_id, position);

-- What a server is told with the answer to its report, until it is told.
create table server_orders (
  id bigint generated always as identity primary key,
  server_id text not null,
  kind text not null check (kind in ('kick', 'announce', 'drain', 'save')),
  -- kick: the session.
  play_session_id uuid references play_sessions on delete cascade,
  details jsonb not null default '{}',
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '10 minutes'
);
create index server_orders_by_server on server_orders (server_id, id);
