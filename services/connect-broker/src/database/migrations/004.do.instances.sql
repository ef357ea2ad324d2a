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
  -- The server that asked for it for its players, and the id that it gave its request; null when a player did.
  requested_by_server text,
  request_id uuid,
  requested_by_account uuid references accounts on delete set null,
  created_at timestamptz not null default now(),
  -- When somebody of the roster, or the server that asked, last showed that it is still wanted.
  asked_at timestamptz not null default now(),
  allocated_at timestamptz,
  ready_at timestamptz,
  -- When somebody was last seen to have a place on it; null before anybody had one.
  occupied_at timestamptz,
  ended_at timestamptz,
  -- abandoned, no-server, server-gone, server-stopped, never-ready, never-joined, empty, lifetime.
  ended_because text,
  -- When a replica last set out to delete a server of it, so that the others leave it alone for a while.
  reaped_at timestamptz,
  -- Allocation: when the next attempt is due, and how many there were. Whoever moves it makes the attempt.
  next_attempt_at timestamptz not null default now(),
  attempts integer not null default 0
);
create index instances_open on instances (content_type, state) where state <> 'ended';
create index instances_due on instances (next_attempt_at) where state = 'wanted';
create index instances_by_end on instances (ended_at) where state = 'ended';
create unique index instances_by_game_server on instances (game_server) where state <> 'ended' and game_server is not null;
-- A player has one of each type for himself at a time.
create unique index instances_own on instances (requested_by_account, content_type) where state <> 'ended' and requested_by_account is not null;
-- A server's request that is repeated gets the same one.
create unique index instances_by_request on instances (requested_by_server, request_id) where request_id is not null;

create table instance_roster (
  instance_id uuid not null references instances on delete cascade,
  account_id uuid not null references accounts on delete cascade,
  primary key (instance_id, account_id)
);
create index instance_roster_by_account on instance_roster (account_id);
