-- What operators decide: bans, maintenance, and the record of who decided it.

create table bans (
  id uuid primary key default gen_random_uuid(),
  -- One of the two: an account, or an address (a network).
  account_id uuid references accounts on delete cascade,
  network cidr,
  reason text not null,
  -- Null: until it is lifted.
  until timestamptz,
  created_by uuid references accounts on delete set null,
  created_at timestamptz not null default now(),
  lifted_at timestamptz,
  check ((account_id is null) <> (network is null))
);
create index bans_by_account on bans (account_id) where lifted_at is null;
create index bans_by_network on bans using gist (network inet_ops) where lifted_at is null and network is not null;

-- The ban that keeps an account or an address out, the longest first; no row when there is none. `address` may be null.
create function active_ban(account uuid, address inet)
returns table (ban_id uuid, reason text, until timestamptz)
language sql stable as $$
  select id, bans.reason, bans.until from bans
  where lifted_at is null and (bans.until is null or bans.until > now())
    and (bans.account_id = account or bans.network >>= address)
  order by bans.until desc nulls first
  limit 1
$$;

create table realm_maintenance (
  realm text primary key,
  message text not null,
  since timestamptz not null default now(),
  -- When it is expected to be over; for people.
  until timestamptz,
  created_by uuid references accounts on delete set null
);

create table audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  -- Null: the command on the server, or the broker itself.
  actor_id uuid,
  actor_name text not null,
  action text not null,
  target text not null,
  details jsonb not null default '{}'
);
create index audit_log_by_time on audit_log (at);
