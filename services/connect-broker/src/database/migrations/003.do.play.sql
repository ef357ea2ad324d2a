-- Characters, and who plays where: every place on a server is a row, so that all replicas count the same.
--
-- Locks, always in this order, held for one transaction: lock_account (whatever changes an account's places), rows of play_sessions and characters,
-- lock_world (whatever counts the places of a server or changes its queue). Reports and clean-up take row locks alone.

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
  account_id uuid not null,
  -- Its end with the character is a trigger's work (below): a reference would have every connect lock and write the character's row as well.
  character_id uuid not null,
  server_id text not null,
  -- The pod that the token was made for; a claim by another one is refused.
  pod_uid text not null,
  -- The token's netcode client id, random and never reused: 1 to 2^63 - 1. No index: 63 random bits do not meet.
  client_id bigint not null,
  -- Where the token was asked for: an address that is banned before the claim keeps its player out.
  client_address inet,
  state text not null check (state in ('reserved', 'active', 'held', 'ended')),
  -- Why it ended: released, superseded, expired, lost, kicked, banned, handed-over. On a held session: released (a disconnect), handed-over, or lost (the server no longer named it).
  ended_because text,
  -- Whether it counts as a place of its server; not once a later session of the same account has the place there.
  counts boolean not null default true,
  -- The character's epoch that this session holds; set by the claim.
  epoch bigint,
  -- The server's own name for its claim, so that the answer can be had again when it was lost.
  claim_id uuid,
  created_at timestamptz not null default now(),
  -- reserved: the token's end; the place is kept 15 s longer.
  token_expires_at timestamptz not null,
  claimed_at timestamptz,
  -- When its server gave the character back; the same release again is answered the same.
  released_at timestamptz,
  -- The highest number of a save or release that was stored; null while its server numbers none.
  saved_sequence bigint,
  -- held: until when its place is kept.
  held_until timestamptz,
  ended_at timestamptz,
  -- The later session of the same account that took its place.
  superseded_by uuid,
  superseded_at timestamptz
);
-- One account plays once: at most one session that was not superseded. (Those that were differ in what superseded them.)
create unique index play_sessions_one_per_account on play_sessions (account_id, superseded_by) nulls not distinct where state <> 'ended';
create index play_sessions_by_server on play_sessions (server_id) where state <> 'ended';

create function forget_character() returns trigger
language plpgsql as $$
begin
  delete from play_sessions where account_id = old.account_id and character_id = old.id;
  return null;
end
$$;
create trigger characters_forgotten after delete on characters for each row execute function forget_character();
-- For that, and for what is told of an account: with those that ended.
create index play_sessions_by_account on play_sessions (account_id);

-- Worlds that had a queue, with how fast it moves.
create table worlds (
  server_id text primary key,
  realm text not null,
  continent text not null,
  -- When somebody of the queue last got a place, and the smoothed time from one to the next.
  admitted_at timestamptz,
  admission_seconds double precision
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
  polled_at timestamptz not null default now(),
  -- When its player was first told that it is his turn; he has 60 s.
  ready_at timestamptz
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

-- One row: when brokers last reached this database, and since when without a gap; and when one that sees the servers did. No time runs out for players and servers that could
-- reach nobody, nor for players whom no broker could send anywhere.
create table broker_clock (
  one boolean primary key default true check (one),
  beat_at timestamptz,
  up_since timestamptz not null default '-infinity',
  sight_at timestamptz,
  sees_since timestamptz not null default '-infinity'
);
insert into broker_clock default values;

-- Every replica calls it every 2 s. A gap of more than 5 s was an outage; so is a clock that jumped, as after a failover.
create function broker_beat(sees_servers boolean default true) returns void
language sql as $$
  update broker_clock set
    up_since = case when now() - beat_at not between interval '-5 s' and interval '5 s' then now() else up_since end,
    beat_at = now(),
    sees_since = case when sees_servers and now() - sight_at not between interval '-5 s' and interval '5 s' then now() else sees_since end,
    sight_at = case when sees_servers then now() else sight_at end
$$;

-- Since when brokers have reached the database and seen the servers without a gap, also when the gap ends only now. -infinity: there was none.
create function without_gap(clock broker_clock) returns timestamptz
language sql stable as $$
  select greatest(
    case when now() - clock.beat_at not between interval '-5 s' and interval '5 s' then now() else clock.up_since end,
    case when now() - clock.sight_at not between interval '-5 s' and interval '5 s' then now() else clock.sees_since end)
$$;

create function broker_up_since() returns timestamptz
language plpgsql stable as $$
begin
  return (select without_gap(broker_clock) from broker_clock);
end
$$;

create function lock_account(account uuid) returns void
language plpgsql as $$ begin perform pg_advisory_xact_lock(1, hashtext(account::text)); end $$;

create function lock_world(server text) returns void
language plpgsql as $$ begin perform pg_advisory_xact_lock(2, hashtext(server)); end $$;

-- Whether a row of play_sessions takes a place at a moment, cleaned up or not. After an outage everything is kept for a minute: its player could not come.
create function takes_place(state text, counts boolean, token_expires_at timestamptz, held_until timestamptz, up_since timestamptz, moment timestamptz)
returns boolean
language sql stable as $$
  select counts and (state = 'active'
    or (state = 'reserved' and moment <= greatest(token_expires_at + interval '15 s', up_since + interval '60 s'))
    or (state = 'held' and moment <= greatest(held_until, up_since + interval '60 s')))
$$;

create function takes_place(state text, counts boolean, token_expires_at timestamptz, held_until timestamptz, up_since timestamptz) returns boolean
language sql stable as $$
  select takes_place(state, counts, token_expires_at, held_until, up_since, now())
$$;

-- Whether a row of queue_entries still waits: asked for within 60 s, and not told 60 s ago that it may enter.
create function still_waits(polled_at timestamptz, ready_at timestamptz, up_since timestamptz) returns boolean
language sql stable as $$
  select now() <= greatest(polled_at, up_since) + interval '60 s' and (ready_at is null or now() <= greatest(ready_at, up_since) + interval '60 s')
$$;

-- Whether an order is still told. A kick outlives its time while its session plays, or could play again because its server was only lost (report_server).
create function is_told(kind text, play_session_id uuid, expires_at timestamptz) returns boolean
language plpgsql stable as $$
begin
  return expires_at > now() or (kind = 'kick' and exists (
    select 1 from play_sessions as place
    where place.id = play_session_id
      and (place.state = 'active' or (place.ended_because = 'lost' and place.released_at is null and place.superseded_by is null))
  ));
end
$$;

-- Orders a server to let a session go: at most one open order for each.
create function order_kick(session uuid, server text, order_details jsonb) returns void
language plpgsql as $$
begin
  insert into server_orders (server_id, kind, play_session_id, details)
  select server, 'kick', session, order_details
  where not exists (select 1 from server_orders where server_id = server and play_session_id = session and kind = 'kick' and is_told(kind, play_session_id, expires_at));
end
$$;

-- The character of a session that ends without a release is nobody's. Its epoch stays: should its server come back, and nobody else has played the character since, what it
-- stores is still the newest.
create function disown(session uuid) returns void
language plpgsql as $$
begin
  update characters set owner = null from play_sessions as place
  where place.id = session and characters.id = place.character_id and characters.epoch = place.epoch and characters.owner = place.server_id;
end
$$;

-- Takes a place on a server for an account, in one transaction with the end of what it had elsewhere. `created` is null when there is none.
-- A place that the account has on this server already is taken over, whatever the count. Otherwise whoever waits for this server longer comes first.
create function reserve_place(
  account uuid, played_character uuid, server text, pod text, client bigint, lifetime_seconds integer, places integer, up timestamptz, address inet,
  out created uuid, out ahead bigint, out waiting bigint
)
language plpgsql
set enable_seqscan = off set jit = off
as $$
declare
  open_sessions bigint;
  own boolean;
  lasting boolean;
  has_active boolean;
  has_character boolean;
  existing uuid;
  taken bigint;
  moment timestamptz;
begin
  perform pg_advisory_xact_lock(1, hashtext(account::text));
  -- Before their characters, as everywhere: saves and reports lock a session first.
  -- (superseded_by is the order of the index play_sessions_one_per_account: of a table that was empty when it looked, the planner takes any index, and reads all of it.)
  for existing in
    select mine.id from (select id from play_sessions where account_id = account and state <> 'ended' order by superseded_by offset 0) as mine order by mine.id
  loop
    perform 1 from play_sessions where id = existing for update;
  end loop;
  -- Not now(): the locks may have taken longer than what was left of its own place, and meanwhile somebody else may have been given that.
  moment := clock_timestamp();
  select count(*), bool_or(server_id = server and takes_place(state, counts, token_expires_at, held_until, up, moment)),
    bool_or(server_id = server and takes_place(state, counts, token_expires_at, held_until, up, moment + interval '5 s')),
    bool_or(state = 'active'), bool_or(state = 'held' and released_at is null)
  into open_sessions, own, lasting, has_active, has_character
  from (select * from play_sessions where account_id = account and state <> 'ended' order by superseded_by) as mine;
  -- At the end of its time whoever counts may not see it any more before this is committed: then the count waits, and the clock is read again.
  if own and not lasting then
    perform pg_advisory_xact_lock(2, hashtext(server));
    moment := clock_timestamp();
    select bool_or(takes_place(state, counts, token_expires_at, held_until, up, moment)) into own
    from (select * from play_sessions where account_id = account and state <> 'ended' order by superseded_by offset 0) as mine where server_id = server;
  end if;
  -- A place that only changes hands needs no count, and so no turn at the world's lock.
  if own is not true then
    perform pg_advisory_xact_lock(2, hashtext(server));
    select places_taken.count, queue.before, queue.all into taken, ahead, waiting
    from (
      select count(*) from play_sessions
      where server_id = server and state <> 'ended' and account_id <> account and takes_place(state, counts, token_expires_at, held_until, up)
    ) as places_taken,
    (
      select count(*) filter (where mine.position is null or entry.position < mine.position) as before, count(*) as all
      from queue_entries as entry left join queue_entries as mine on mine.account_id = account and mine.server_id = server
      where entry.server_id = server and still_waits(entry.polled_at, entry.ready_at, up)
    ) as queue;
    if taken + ahead >= places then
      return;
    end if;
  end if;
  created := gen_random_uuid();
  if open_sessions > 0 then
    if has_character then
      perform disown(id) from play_sessions where account_id = account and state = 'held' and released_at is null;
    end if;
    -- Who plays is superseded and goes on until his server lets him go; what else there is ends. What is left is the place in a world that somebody in an instance returns to.
    update play_sessions set
      state = case state when 'active' then 'active' else 'ended' end,
      ended_because = case state when 'active' then null else 'superseded' end,
      ended_at = case state when 'active' then null else now() end,
      counts = counts and not (state = 'active' and server_id = server),
      superseded_by = coalesce(superseded_by, created),
      superseded_at = coalesce(superseded_at, now())
    where account_id = account and state <> 'ended' and (state = 'active' or superseded_by is null or server_id = server or server not like 'instance:%');
    if has_active then
      perform order_kick(id, server_id, jsonb_build_object('because', 'superseded', 'by', created, 'to', server))
      from play_sessions where account_id = account and state = 'active' and superseded_by is not null;
    end if;
  end if;
  insert into play_sessions (id, account_id, character_id, server_id, pod_uid, client_id, client_address, state, token_expires_at)
  values (created, account, played_character, server, pod, client, address, 'reserved', now() + make_interval(secs => lifetime_seconds));
end
$$;

-- The whole of a connect to a world in one round trip. Of the realm's continents that may be meant, each array has one entry: its name, its pod, its places, and what
-- the broker knows of it in memory: 'open' (there is a place to ask for), 'wait' (it starts or sleeps: queue), anything else is given back as the outcome.
-- With one continent that one is meant, with several the character's home or else the first.
create function connect_to_world(
  candidates bytea[], client_address inet, to_realm text, names text[], pods text[], places integer[], verdicts text[],
  played_character uuid, client bigint, lifetime_seconds integer, queue_limit integer,
  out outcome text, out chosen integer, out account uuid, out session uuid, out queue_position bigint, out waiting bigint, out seconds_each double precision,
  out message text, out ends timestamptz
)
language plpgsql
-- Every access is by a key. Left to itself, the planner plans the first statement anew each time, and keeps reading whole tables that were empty when it first looked.
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  known record;
  server text;
  ahead bigint;
  entry queue_entries;
  -- Its entry in the queue of another world: kept until it has something better.
  elsewhere uuid;
begin
  select found.account_id, found.role, own.id, coalesce(case when own.realm = to_realm then array_position(names, own.continent) end, 1) as chosen,
    ban.ban_id, ban.reason, ban.until as banned_until, maintenance.realm as closed, maintenance.message, maintenance.until as closed_until,
    queued.id as entry_id, clock.up
  into known
  from session_account(candidates) as found
  cross join (
    select without_gap(broker_clock) as up from broker_clock
  ) as clock
  left join characters as own on own.id = played_character and own.account_id = found.account_id
  left join lateral active_ban(found.account_id, client_address) as ban on true
  left join realm_maintenance as maintenance on maintenance.realm = to_realm
  left join queue_entries as queued on queued.account_id = found.account_id;
  account := known.account_id;
  chosen := coalesce(known.chosen, 1);
  if account is null then
    outcome := 'not-logged-in';
  elsif known.ban_id is not null then
    outcome := 'banned';
    message := known.reason;
    ends := known.banned_until;
  elsif known.id is null then
    outcome := 'no-character';
  elsif known.closed is not null and known.role <> 'admin' then
    -- Administrators look after a realm while nobody else may enter.
    outcome := 'maintenance';
    message := known.message;
    ends := known.closed_until;
  elsif verdicts[chosen] not in ('open', 'wait') then
    outcome := verdicts[chosen];
  end if;
  if outcome is not null then
    return;
  end if;

  -- A reservation that a crash of the database forgets is a token whose claim is refused: its player asks again. Nobody waits for the disk for that.
  perform set_config('synchronous_commit', 'off', true), pg_advisory_xact_lock(1, hashtext(account::text));
  server := 'world:' || to_realm || '/' || names[chosen];
  if known.entry_id is not null or verdicts[chosen] = 'wait' then
    perform pg_advisory_xact_lock(2, hashtext(server));
    select * into entry from queue_entries where account_id = account;
    if not still_waits(entry.polled_at, entry.ready_at, known.up) then
      delete from queue_entries where id = entry.id;
      entry := null;
    elsif entry.server_id <> server then
      elsewhere := entry.id;
      entry := null;
    end if;
  end if;
  if verdicts[chosen] = 'open' then
    select case when accepting then least(places[chosen], capacity) else -1 end as places into known.chosen
    from game_servers where server_id = server and pod_uid = pods[chosen];
    if known.chosen = -1 then
      outcome := 'not-accepting';
      return;
    end if;
    select reserved.created, reserved.ahead, reserved.waiting into session, ahead, waiting
    from reserve_place(account, played_character, server, pods[chosen], client, lifetime_seconds, coalesce(known.chosen, places[chosen]), known.up, client_address) as reserved;
    if session is not null then
      outcome := 'reserved';
      if elsewhere is not null then
        delete from queue_entries where id = elsewhere;
      end if;
      if entry.id is not null then
        delete from queue_entries where id = entry.id;
        update worlds set
          admission_seconds = coalesce(admission_seconds * 0.8 + extract(epoch from now() - admitted_at) * 0.2, extract(epoch from now() - admitted_at)),
          admitted_at = now()
        where server_id = server;
        perform pg_notify('broker', 'queue');
      end if;
      return;
    end if;
  else
    select count(*) filter (where entry.id is null or others.position < entry.position), count(*) into ahead, waiting
    from queue_entries as others where others.server_id = server and still_waits(others.polled_at, others.ready_at, known.up);
  end if;
  if entry.id is not null then
    update queue_entries set polled_at = now(), character_id = played_character where id = entry.id;
  elsif waiting >= queue_limit then
    outcome := 'queue-full';
    return;
  else
    if elsewhere is not null then
      delete from queue_entries where id = elsewhere;
    end if;
    insert into worlds (server_id, realm, continent) values (server, to_realm, names[chosen]) on conflict do nothing;
    -- A conflict: the same account asked twice at once, and the other one was first.
    insert into queue_entries (server_id, account_id, character_id) values (server, account, played_character)
    on conflict (account_id) do update set polled_at = now();
    waiting := waiting + 1;
  end if;
  queue_position := ahead + 1;
  select greatest(admission_seconds, extract(epoch from now() - admitted_at)) into seconds_each from worlds where server_id = server;
  outcome := 'queued';
end
$$;

-- A connect that may be decided together with others: what is known of it, the server that it leads to, and the account's places that end with it.
create type connect_intent as (
  item integer, account uuid, played_character uuid, chosen integer, server text, pod text, client bigint, address inet, places integer, up timestamptz, ends uuid[], created uuid
);

-- The common case of connect_to_world for many connects at once, in a few statements for all of them: an open world without a queue that has a place, for an account that
-- neither plays nor waits. Gives back those that got their place. All others it leaves as they were, in whatever case they are: connect_to_world decides them, one by one.
-- `wanted`: an array with, for each connect, `item` (its turn among these) and connect_to_world's arguments of the same names.
-- It waits for no account and no session, since one of many must not hold the rest up, and for worlds only as long as lock_timeout; their locks come in one order.
create function connect_to_worlds(wanted json, lifetime_seconds integer)
returns table (item integer, chosen integer, account uuid, session uuid)
language plpgsql
-- As connect_to_world and reserve_place. And no join may be turned round, to read a table that was empty when the planner looked and ask for each row whether it is wanted:
-- hence `offset 0`.
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off set lock_timeout = '200ms'
as $$
#variable_conflict use_column
declare
  intents connect_intent[];
  rows_locked uuid[];
  leaving uuid[];
  accounts uuid[];
  successors uuid[];
  moment timestamptz;
begin
  select array_agg(row (asked.item, asked.account_id, asked.played_character, asked.chosen, asked.server, asked.pod, asked.client, asked.client_address,
    least(asked.places, asked.capacity), asked.up, null, null)::connect_intent)
  into intents
  from (
    -- One of each account: two at once are decided one after the other.
    select distinct on (found.account_id) asked.item, found.account_id, asked.played_character, home.chosen, home.server, asked.pods[home.chosen] as pod,
      asked.client, asked.client_address, asked.places[home.chosen] as places, told.capacity, clock.up
    from json_to_recordset(wanted) as asked (
      item integer, candidates bytea[], client_address inet, to_realm text, names text[], pods text[], places integer[], verdicts text[], played_character uuid, client bigint
    )
    cross join lateral (select account_id from session_account(asked.candidates) offset 0) as found
    cross join lateral (select realm, continent from characters where id = asked.played_character and account_id = found.account_id offset 0) as own
    cross join lateral (select coalesce(case when own.realm = asked.to_realm then array_position(asked.names, own.continent) end, 1) as chosen) as place
    cross join lateral (select place.chosen, 'world:' || asked.to_realm || '/' || asked.names[place.chosen] as server offset 0) as home
    cross join (
      select without_gap(broker_clock) as up from broker_clock offset 0
    ) as clock
    left join lateral (select accepting, capacity from game_servers where server_id = home.server and pod_uid = asked.pods[home.chosen] offset 0) as told on true
    where asked.verdicts[home.chosen] = 'open' and told.accepting is not false
      and not exists (select from active_ban(found.account_id, asked.client_address) offset 0)
      and not exists (select from realm_maintenance where realm = asked.to_realm offset 0)
      and not exists (select from queue_entries where account_id = found.account_id offset 0)
    order by found.account_id, asked.item
    offset 0
  ) as asked
  where pg_try_advisory_xact_lock(1, hashtext(asked.account_id::text));
  if intents is null then
    return;
  end if;

  -- As in connect_to_world: nobody waits for the disk.
  perform set_config('synchronous_commit', 'off', true);
  select coalesce(array_agg(place.id), '{}') into rows_locked
  from unnest(intents) as intent
  cross join lateral (select id from play_sessions where account_id = intent.account and state <> 'ended' order by superseded_by for update skip locked) as place;
  perform pg_advisory_xact_lock(2, worlds.key) from (select distinct hashtext(server) as key from unnest(intents) order by 1) as worlds;

  -- From here on as reserve_place does it. Each statement sees what was committed before it began, and so everything before the locks.
  moment := clock_timestamp();
  with intent as materialized (select * from unnest(intents)),
  mine as (
    select account,
      -- Only a token that nobody used, or a place whose character was given back: no server has to hear of its end.
      bool_and(place.id = any (rows_locked) and (place.state = 'reserved' or (place.state = 'held' and place.released_at is not null))) as simple,
      bool_or(place.server_id = server and takes_place(place.state, place.counts, place.token_expires_at, place.held_until, up, moment)) as own,
      array_agg(place.id) as ids
    from intent cross join lateral (select * from play_sessions where account_id = intent.account and state <> 'ended' order by superseded_by offset 0) as place
    group by account
  ),
  world as (
    select server,
      (select count(*) from play_sessions as others where others.server_id = each.server and others.state <> 'ended'
        and takes_place(others.state, others.counts, others.token_expires_at, others.held_until, (intents[1]).up, moment)) as taken
    from (select distinct server from intent) as each
    where not exists (select from queue_entries where server_id = each.server offset 0)
  ),
  turns as (
    select intent.*, world.taken, coalesce(mine.own, false) as own, mine.ids as leaves,
      row_number() over (partition by intent.server, coalesce(mine.own, false) order by intent.item) as turn
    from intent join world on world.server = intent.server left join mine on mine.account = intent.account
    where mine.simple is not false
  )
  select array_agg(row (item, account, played_character, chosen, server, pod, client, address, places, up, leaves, gen_random_uuid())::connect_intent)
  into intents
  from turns where own or taken + turn <= places;
  if intents is null then
    return;
  end if;

  -- All in one statement, and by the key alone: of a join, or of a condition that a partial index has, the planner makes a reading of everything (as above).
  -- A place that came back meanwhile (report_server) is not among them; then the insert fails, and all are decided one by one.
  leaving := array(select unnest(ends) from unnest(intents));
  if leaving <> '{}' then
    accounts := array(select account from unnest(intents));
    successors := array(select created from unnest(intents));
    update play_sessions set
      state = 'ended', ended_because = 'superseded', ended_at = now(),
      superseded_by = coalesce(superseded_by, successors[array_position(accounts, account_id)]), superseded_at = coalesce(superseded_at, now())
    where id = any (leaving);
  end if;
  insert into play_sessions (id, account_id, character_id, server_id, pod_uid, client_id, client_address, state, token_expires_at)
  select created, account, played_character, server, pod, client, address, 'reserved', now() + make_interval(secs => lifetime_seconds) from unnest(intents);
  return query select placed.item, placed.chosen, placed.account, placed.created from unnest(intents) as placed;
end
$$;

-- The account enters: its character becomes this server's under the next epoch, unless it may not or must wait.
create function claim_place(wanted uuid, server text, pod text, client bigint, claim uuid) returns table (
  outcome text, account uuid, played_character uuid, character_name text, character_state bytea, character_epoch bigint,
  blocking_session uuid, blocking_server text, message text, ends timestamptz
)
language plpgsql as $$
declare
  place play_sessions;
  other play_sessions;
  reported timestamptz;
  up timestamptz;
begin
  select account_id into account from play_sessions where id = wanted;
  if not found then
    -- Forgotten by a crash, or cleaned up: as good as expired.
    outcome := 'expired';
    return next;
    return;
  end if;
  perform lock_account(account);
  select * into place from play_sessions where id = wanted for update;
  played_character := place.character_id;
  up := broker_up_since();
  -- Whoever counts places before this is committed does not see the claim, and at the end of its time not the reservation either: then the count waits for it.
  -- (After the session's row, as everywhere; shared, because claims do not count.)
  if place.state = 'reserved' and clock_timestamp() > place.token_expires_at + interval '10 s' then
    perform pg_advisory_xact_lock_shared(2, hashtext(place.server_id));
  end if;
  outcome := case
    when place.server_id <> server or place.pod_uid <> pod or place.client_id <> client then 'mismatch'
    when place.ended_because = 'banned' then 'banned'
    when place.superseded_by is not null then 'superseded'
    when place.state = 'active' and place.claim_id = claim then 'repeated'
    when place.state in ('active', 'held') then 'claimed'
    when place.state = 'ended' and place.claimed_at is not null then 'claimed'
    when place.state = 'ended' then 'expired'
    -- Not now(): the lock may have taken longer than what was left, and meanwhile the place may be somebody else's.
    when clock_timestamp() > place.token_expires_at + interval '15 s' then 'expired'
  end;
  if outcome = 'repeated' then
    select name, state, epoch into character_name, character_state, character_epoch from characters where id = played_character and owner = server and epoch = place.epoch;
    outcome := case when found then 'accepted' else 'claimed' end;
  end if;
  if outcome is not null then
    return next;
    return;
  end if;
  select ban.reason, ban.until into message, ends from active_ban(account, place.client_address) as ban;
  if found then
    update play_sessions set state = 'ended', ended_because = 'banned', ended_at = now() where id = wanted;
    outcome := 'banned';
    return next;
    return;
  end if;

  for other in select * from play_sessions where account_id = account and id <> wanted and state = 'active' order by id for update loop
    select reported_at into reported from game_servers where server_id = other.server_id and pod_uid = other.pod_uid;
    -- A server that names the session in its reports keeps it, but for a minute after the order to let it go: one that does not obey locks nobody out.
    if now() <= greatest(other.claimed_at, reported, up) + interval '15 s' and now() <= greatest(coalesce(other.superseded_at, now()), up) + interval '60 s' then
      -- The token has done its part; the place is kept while its player waits.
      update play_sessions set token_expires_at = greatest(token_expires_at, now()) where id = wanted;
      perform order_kick(other.id, other.server_id, jsonb_build_object('because', 'superseded', 'by', wanted, 'to', server));
      outcome := 'wait';
      blocking_session := other.id;
      blocking_server := other.server_id;
      return next;
      return;
    end if;
    update play_sessions set state = 'ended', ended_because = 'lost', ended_at = now() where id = other.id;
    perform disown(other.id);
    delete from server_orders where play_session_id = other.id;
  end loop;

  update characters set owner = server, epoch = epoch + 1 where id = played_character
  returning name, state, epoch into character_name, character_state, character_epoch;
  if not found then
    -- Deleted since.
    outcome := 'expired';
    return next;
    return;
  end if;
  update play_sessions set state = 'active', claimed_at = now(), epoch = character_epoch, claim_id = claim where id = wanted;
  outcome := 'accepted';
  return next;
end
$$;

-- The account leaves: the character's state is stored under its epoch and the character is nobody's. Why: logged-out, disconnected, handed-over.
-- Without new state (null) the last one stays. With a number that is not above the one that was stored last it is an older one that comes late ('older').
create function release_place(wanted uuid, server text, pod text, held_epoch bigint, new_state bytea, why text, sequence bigint default null)
returns table (outcome text, present_epoch bigint, stored_sequence bigint)
language plpgsql as $$
declare
  account uuid;
  place play_sessions;
  kept boolean;
begin
  select account_id into account from play_sessions where id = wanted;
  if not found then
    outcome := 'stale';
    return next;
    return;
  end if;
  perform lock_account(account);
  select * into place from play_sessions where id = wanted for update;
  if place.server_id <> server or place.pod_uid <> pod then
    outcome := 'mismatch';
    return next;
    return;
  end if;
  -- The answer to the first one was lost.
  if place.released_at is not null and place.epoch = held_epoch then
    outcome := 'released';
    present_epoch := held_epoch;
    return next;
    return;
  end if;
  if place.epoch = held_epoch and sequence <= place.saved_sequence then
    outcome := 'older';
    present_epoch := held_epoch;
    stored_sequence := place.saved_sequence;
    return next;
    return;
  end if;
  update characters set owner = null, state = coalesce(new_state, state), state_saved_at = case when new_state is null then state_saved_at else now() end
  where id = place.character_id and (owner = server or owner is null) and epoch = held_epoch and place.epoch = held_epoch;
  if not found then
    select epoch into present_epoch from characters where id = place.character_id;
    outcome := 'stale';
    return next;
    return;
  end if;
  outcome := 'released';
  present_epoch := held_epoch;
  -- Kept for whoever may come back: after a broken connection, and in a world while its player is in an instance.
  kept := (why = 'disconnected' and place.superseded_by is null)
    or (place.counts and server like 'world:%'
        and exists (select 1 from play_sessions as later where later.account_id = account and later.superseded_by is null
                    and later.state <> 'ended' and later.server_id like 'instance:%'));
  update play_sessions set
    released_at = now(),
    saved_sequence = coalesce(sequence, saved_sequence),
    state = case when kept and state <> 'ended' then 'held' else 'ended' end,
    ended_because = case why when 'handed-over' then 'handed-over' else 'released' end,
    held_until = case when kept then now() + interval '300 s' end,
    ended_at = case when kept and state <> 'ended' then null else now() end
  where id = wanted;
  delete from server_orders where play_session_id = wanted;
  if exists (select 1 from queue_entries where server_id = server) then
    perform pg_notify('broker', 'queue');
  end if;
  return next;
end
$$;

-- Stores a character's state while it plays. Without a lock on the account: the session's row alone orders it against its release and its other saves, the epoch against
-- other servers. With a number that is not above the one that was stored last it is an older one that comes late ('older'); without one the last to come is stored.
create function save_character(wanted uuid, server text, pod text, held_epoch bigint, new_state bytea, sequence bigint default null)
returns table (outcome text, present_epoch bigint, stored_sequence bigint)
language plpgsql as $$
declare
  place play_sessions;
begin
  -- Locked, so that a release that is under way is seen.
  select * into place from play_sessions where id = wanted for update;
  if not found then
    outcome := 'stale';
  elsif place.server_id <> server or place.pod_uid <> pod then
    outcome := 'mismatch';
  elsif place.released_at is null and place.epoch = held_epoch and sequence <= place.saved_sequence then
    outcome := 'older';
    present_epoch := held_epoch;
    stored_sequence := place.saved_sequence;
  else
    update characters set state = new_state, state_saved_at = now()
    where id = place.character_id and (owner = server or owner is null) and epoch = held_epoch and place.epoch = held_epoch
      and place.released_at is null
    returning epoch into present_epoch;
    outcome := case when found then 'saved' else 'stale' end;
    if outcome = 'stale' then
      select epoch into present_epoch from characters where id = place.character_id;
    elsif sequence is not null then
      update play_sessions set saved_sequence = sequence where id = wanted;
    end if;
  end if;
  return next;
end
$$;

-- A server tells who is there and what it is; it hears its orders, and which of its sessions it must drop without a release.
create function report_server(
  server text, pod text, present uuid[], is_accepting boolean, its_build text, its_players integer, its_capacity integer, acknowledged bigint[]
) returns table (dropped uuid[], orders jsonb)
language plpgsql as $$
declare
  place record;
begin
  insert into game_servers (server_id, pod_uid, accepting, build, players, capacity, reported_at)
  values (server, pod, is_accepting, its_build, its_players, its_capacity, now())
  on conflict (server_id) do update set
    pod_uid = excluded.pod_uid, accepting = excluded.accepting, build = excluded.build,
    players = excluded.players, capacity = excluded.capacity, reported_at = excluded.reported_at;
  if cardinality(acknowledged) > 0 then
    delete from server_orders where server_id = server and id = any (acknowledged);
  end if;

  -- Named here, lost there: a release that the broker never saw cannot have been, so the player is still in.
  for place in
    select sessions.id, sessions.account_id, sessions.character_id, sessions.epoch, sessions.client_address from play_sessions as sessions
    where sessions.id = any (present) and sessions.server_id = server and sessions.pod_uid = pod
      and sessions.state in ('held', 'ended') and sessions.ended_because = 'lost' and sessions.released_at is null and sessions.superseded_by is null
    order by sessions.id for update
  loop
    if exists (select 1 from play_sessions as later where later.account_id = place.account_id and later.id <> place.id and later.state <> 'ended' and later.superseded_by is null) then
      continue;
    end if;
    -- Banned meanwhile: whoever was lost does not come back by it.
    if exists (select 1 from active_ban(place.account_id, place.client_address)) then
      update play_sessions set state = 'ended', ended_because = 'banned', held_until = null, ended_at = now() where id = place.id;
      perform disown(place.id);
      delete from server_orders where play_session_id = place.id;
      continue;
    end if;
    update characters set owner = server where id = place.character_id and epoch = place.epoch and (owner is null or owner = server);
    if found then
      update play_sessions set state = 'active', ended_because = null, held_until = null, ended_at = null where id = place.id;
    end if;
  end loop;

  -- Lost here: not named although claimed a while ago, or on a pod that is gone. Its place is kept for the player.
  update play_sessions set state = 'held', ended_because = 'lost', held_until = now() + interval '300 s'
  where id in (
    select sessions.id from play_sessions as sessions
    where sessions.server_id = server and sessions.state = 'active'
      and (sessions.pod_uid <> pod or (sessions.id <> all (present) and sessions.claimed_at < now() - interval '15 s'))
    order by sessions.id for update
  );

  select coalesce(array_agg(named.id), '{}') into dropped
  from unnest(present) as named (id)
  where not exists (
    select 1 from play_sessions as sessions
    where sessions.id = named.id and sessions.server_id = server and sessions.pod_uid = pod and sessions.state in ('active', 'reserved')
  );
  select coalesce(jsonb_agg(jsonb_build_object('id', waiting.id::text, 'kind', waiting.kind, 'playSessionId', waiting.play_session_id, 'details', waiting.details) order by waiting.id), '[]')
  into orders
  from (select * from server_orders where server_id = server and is_told(kind, play_session_id, expires_at) order by id limit 200) as waiting;
  return next;
end
$$;

-- Ends what has run out. Any replica, any number at a time: rows that another one has locked are left to it.
create function expire_places() returns bigint
language plpgsql as $$
declare
  up timestamptz := broker_up_since();
  freed bigint;
  more bigint;
begin
  -- Somebody in an instance returns to the world that he came from.
  update play_sessions set held_until = now() + interval '300 s'
  where id in (
    select place.id from play_sessions as place
    where place.state = 'held' and place.superseded_by is not null and place.held_until < now() + interval '240 s'
      and now() <= greatest(place.held_until, up + interval '60 s')
      and exists (select 1 from play_sessions as later where later.account_id = place.account_id and later.superseded_by is null
                  and later.state <> 'ended' and later.server_id like 'instance:%')
    for update skip locked
  );
  -- A server that is silent without an outage of ours has lost its players. Who was superseded does not come back: the character is nobody's.
  with lost as (update play_sessions set
    state = case when superseded_by is null then 'held' else 'ended' end, ended_because = 'lost',
    held_until = now() + interval '300 s', ended_at = case when superseded_by is null then null else now() end
  where id in (
    select place.id from play_sessions as place
    left join game_servers as reported on reported.server_id = place.server_id and reported.pod_uid = place.pod_uid
    where place.state = 'active' and now() > greatest(place.claimed_at, reported.reported_at, up) + interval '15 s'
    for update of place skip locked
  )
  returning id, state) select count(disown(id)) into more from lost where state = 'ended';
  with gone as (
    update play_sessions set state = 'ended', ended_because = coalesce(ended_because, 'expired'), ended_at = now()
    where id in (
      select place.id from play_sessions as place
      where place.state in ('reserved', 'held')
        and not takes_place(place.state, true, place.token_expires_at, place.held_until, up)
      for update skip locked
    )
    returning id
  ) select count(*), count(disown(id)) into freed, more from gone;
  with gone as (
    delete from queue_entries where id in (
      select entry.id from queue_entries as entry where not still_waits(entry.polled_at, entry.ready_at, up) for update skip locked
    )
    returning id
  ) select count(*) into more from gone;
  delete from server_orders where expires_at < now() and not is_told(kind, play_session_id, expires_at);
  delete from game_servers where reported_at < now() - interval '1 hour'
    and not exists (select 1 from play_sessions as place where place.server_id = game_servers.server_id and place.state <> 'ended');
  if freed + more > 0 and exists (select 1 from queue_entries) then
    perform pg_notify('broker', 'queue');
  end if;
  return freed + more;
end
$$;

-- Forgets what ended a day ago: until then late releases and reports are told apart from strangers'. It reads the whole table, so it is for now and then.
create function forget_places() returns void
language plpgsql as $$
begin
  delete from play_sessions where id in (
    -- A token that nobody used says nothing to anybody; whoever asks for one after the other must not fill the table.
    select place.id from play_sessions as place
    where place.state = 'ended' and place.ended_at < now() - interval '10 minutes' and (place.claimed_at is null or place.ended_at < now() - interval '1 day')
    limit 50000 for update skip locked
  );
end
$$;
