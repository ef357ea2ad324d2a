-- Instanced content: the intent is here before anything is asked of Agones, and who may enter is nowhere else.

create table instances (
  -- Also the label of the GameServer, so that a repeated request finds it again.
  id uuid primary key default gen_random_uuid(),
  content_type text not null,
  build text not null,
  -- wanted: no server yet. allocated: a server is told of it. ready: players may enter. ended: nothing is left of it.
  state text not null default 'wanted' check (state in ('wanted', 'allocated', 'ready', 'ended')),
  -- Name of the GameServer; the first that is recorded counts.
  game_server text,
  -- The server that asked for it for its players; null when a player did.
  requested_by_server text,
  requested_by_account uuid references accounts on delete set null,
  created_at timestamptz not null default now(),
  allocated_at timestamptz,
  ready_at timestamptz,
  ended_at timestamptz,
  ended_because text,
  -- Allocation: when the next attempt is due, and how many there were. Whoever holds the row's lock makes it.
  next_attempt_at timestamptz not null default now(),
  attempts integer not null default 0
);
create index instances_open on instances (content_type, state) where state <> 'ended';
create unique index instances_by_game_server on instances (game_server) where state <> 'ended' and game_server is not null;

create table instance_roster (
  instance_id uuid not null references instances on delete cascade,
  account_id uuid not null references accounts on delete cascade,
  primary key (instance_id, account_id)
);
create index instance_roster_by_account on instance_roster (account_id);
