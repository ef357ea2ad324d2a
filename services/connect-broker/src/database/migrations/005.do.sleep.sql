-- Worlds that may sleep: when somebody was last there, and when a replica last started or stopped one.

create table world_activity (
  -- world:<realm>/<continent>
  server_id text primary key,
  -- When somebody was last seen to have a place there, or to wait for one; at first, when a broker first looked.
  occupied_at timestamptz not null default now(),
  -- When a replica last set out to start or stop it, so that the others leave it alone for a while.
  scaled_at timestamptz
);

-- Whether somebody is there, or would be if there were room: a place that is taken or kept, an entry in the queue, or players whom the server itself counts.
create function is_occupied(server text, up_since timestamptz) returns boolean
language sql stable as $$
  select exists (
      select 1 from play_sessions as place
      where place.server_id = server and place.state <> 'ended'
        and takes_place(place.state, true, place.token_expires_at, place.held_until, up_since)
    )
    or exists (select 1 from queue_entries as entry where entry.server_id = server and still_waits(entry.polled_at, entry.ready_at, up_since))
    or exists (
      select 1 from game_servers as reported
      where reported.server_id = server and reported.players > 0 and reported.reported_at > now() - interval '20 s'
    )
$$;
