-- What operators decide: bans, maintenance, and the record of who decided it.

create table bans (
  id uuid primary key default gen_random_uuid(),
  -- One of the two: an account, or an address (a network).
  account_id uuid references accounts on delete cascade,
  network cidr,
  reason text not null check (char_length(reason) between 1 and 500),
  -- Null: until it is lifted.
  until timestamptz,
  -- Null: the command on the server, or an account that is gone; audit_log has its name.
  created_by uuid references accounts on delete set null,
  created_at timestamptz not null default now(),
  -- Lifted bans stay: they are an account's history. Several may hold for one account or address at once; each is lifted for itself.
  lifted_at timestamptz,
  lifted_by uuid references accounts on delete set null,
  check ((account_id is null) <> (network is null)),
  check (until is null or until > created_at)
);
create index bans_by_account on bans (account_id) where lifted_at is null;
create index bans_by_network on bans using gist (network inet_ops) where lifted_at is null;
create index bans_by_time on bans (created_at, id);

-- An address as bans are written for it: IPv4 inside IPv6 (::ffff:203.0.113.7) is IPv4. Null stays null.
create function plain_address(address inet) returns inet
language sql immutable parallel safe as $$
  select case
    when family(address) = 6 and address <<= '::ffff:0.0.0.0/96'::inet then '0.0.0.0'::inet + (host(address)::inet - '::ffff:0.0.0.0'::inet)
    else address
  end
$$;

-- The ban that keeps an account or an address out, the longest first; no row when there is none. Either may be null.
-- Whoever lets somebody in asks it in the transaction that lets in, after the play session's row is locked or written: a ban that is committed by then is seen,
-- and one that comes later finds the row.
create function active_ban(account uuid, address inet)
returns table (ban_id uuid, reason text, until timestamptz)
language sql stable as $$
  select id, bans.reason, bans.until from bans
  where lifted_at is null and (bans.until is null or bans.until > now())
    and (bans.account_id = account or bans.network >>= plain_address(address))
  order by bans.until desc nulls first
  limit 1
$$;

create table realm_maintenance (
  realm text primary key,
  message text not null,
  since timestamptz not null default now(),
  -- When it is expected to be over; for people. It ends when it is ended.
  until timestamptz,
  created_by uuid references accounts on delete set null
);

create table audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  -- Null: the command on the server, or the broker itself. No reference: the record outlives the account.
  actor_id uuid,
  actor_name text not null,
  -- An area and a verb in the past: ban.made.
  action text not null,
  -- A kind and a name: account:<id>, realm:aurora, network:203.0.113.7/32.
  target text not null,
  details jsonb not null default '{}'
);
create index audit_log_by_time on audit_log (at);
create index audit_log_by_actor on audit_log (actor_id, id);
create index audit_log_by_action on audit_log (action text_pattern_ops, id);
create index audit_log_by_target on audit_log (target, id);

-- The broker's role may add to the record and not rewrite it: what is younger than a year cannot be changed or removed but by the schema's owner, who can take this trigger off.
create function keep_audit_log() returns trigger
language plpgsql as $$
begin
  if tg_op = 'UPDATE' or old.at > now() - interval '1 year' then
    raise exception 'Entries of the audit log are kept as they are for a year.' using errcode = 'insufficient_privilege';
  end if;
  return old;
end
$$;
create trigger audit_log_is_kept before update or delete on audit_log for each row execute function keep_audit_log();
