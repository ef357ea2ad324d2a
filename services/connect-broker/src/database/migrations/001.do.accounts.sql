-- Accounts, and every way to prove that one is yours. Nothing here can be used by whoever reads it: passwords are argon2id, tokens and codes are hashed.

create table accounts (
  id uuid primary key default gen_random_uuid(),
  -- As its owner writes it, and what makes it unique: NFKC, case-folded.
  name text not null check (char_length(name) between 1 and 40),
  name_key text not null constraint accounts_name_key unique,
  -- Null for an account that logs in through an identity only.
  password_hash text,
  -- Optional. Reset links go there once its owner has confirmed it; it identifies nobody and need not be unique.
  email text check (char_length(email) <= 254),
  email_confirmed_at timestamptz,
  role text not null default 'player' check (role in ('player', 'admin')),
  created_at timestamptz not null default now()
);

create table sessions (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references accounts on delete cascade,
  token_hash bytea not null constraint sessions_token_hash unique,
  -- A cookie is accepted from our own page only; a bearer is a game client's.
  kind text not null check (kind in ('cookie', 'bearer')),
  -- What its owner recognises it by, such as "Firefox on Linux".
  device text not null default '',
  created_at timestamptz not null default now(),
  last_used_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index sessions_by_account on sessions (account_id);
create index sessions_by_end on sessions (expires_at);

-- The account of a presented session: none when it has ended. One place says what a valid session is.
-- `renewable` when it was last renewed more than an hour ago, so that a session in use costs one write an hour and not one a request.
create function session_account(candidates bytea[])
returns table (session_id uuid, kind text, account_id uuid, account_name text, role text, renewable boolean)
language sql stable as $$
  select sessions.id, sessions.kind, accounts.id, accounts.name, accounts.role, sessions.last_used_at < now() - interval '1 hour'
  from sessions join accounts on accounts.id = sessions.account_id
  where sessions.token_hash = any (candidates) and sessions.expires_at > now()
  limit 1
$$;

-- A session lives 30 days from its last use.
create function renew_session(session uuid) returns void
language sql as $$
  update sessions set last_used_at = now(), expires_at = now() + interval '30 days'
  where id = session and last_used_at < now() - interval '1 hour' and expires_at > now()
$$;

-- Ten at a time, shown once. SHA-256 (accounts/codes.ts): 80 random bits cannot be tried.
create table recovery_codes (
  account_id uuid not null references accounts on delete cascade,
  code_hash bytea not null,
  used_at timestamptz,
  primary key (account_id, code_hash)
);

create table reset_links (
  token_hash bytea primary key,
  account_id uuid not null references accounts on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz
);

create table email_confirmations (
  token_hash bytea primary key,
  account_id uuid not null references accounts on delete cascade,
  email text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);

create table invites (
  code_hash bytea primary key,
  note text not null default '',
  uses_left integer not null check (uses_left >= 0),
  created_by uuid references accounts on delete set null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);

-- Who somebody is elsewhere. (issuer, subject) is what an issuer promises never to reuse; an e-mail address is not.
create table identities (
  id uuid primary key default gen_random_uuid(),
  issuer text not null,
  subject text not null,
  account_id uuid not null references accounts on delete cascade,
  -- What its owner is called there, to recognise it.
  title text not null default '',
  linked_at timestamptz not null default now(),
  constraint identities_issuer_subject unique (issuer, subject)
);
create index identities_by_account on identities (account_id);

-- A login through an issuer that is under way, so that any replica can finish it. Taken out by the first callback that names it.
create table openid_flows (
  state_hash bytea primary key,
  provider text not null,
  nonce text not null,
  code_verifier text not null,
  -- The session that links an identity to its account; null for a login. A link that outlives its session is none.
  session_id uuid references sessions on delete cascade,
  -- What happens afterwards: the page's cookie, or a one-time code to a game client's loopback address.
  details jsonb not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '10 minutes'
);
create index openid_flows_by_end on openid_flows (expires_at);

-- What an issuer has told us, for whoever holds the ticket: a game client's one-time code, or the right to make an account for a new identity.
create table openid_tickets (
  ticket_hash bytea primary key,
  purpose text not null check (purpose in ('exchange', 'registration')),
  issuer text not null,
  subject text not null,
  title text not null,
  session_id uuid references sessions on delete cascade,
  -- exchange: what the client's code verifier must hash to (RFC 7636, S256).
  code_challenge text,
  device text not null default '',
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  check ((purpose = 'exchange') = (code_challenge is not null))
);
create index openid_tickets_by_end on openid_tickets (expires_at);

-- Every attempt to prove a password is a row before it is checked, and is taken out when it was right: so attempts at the same time count each other, over all replicas.
create table login_failures (
  id bigint generated always as identity primary key,
  -- A keyed hash of the name that was tried, whether an account has it or not: people type passwords where the name belongs.
  account_key text not null,
  -- An IPv4 address or an IPv6 network of /64.
  address_key text not null,
  failed_at timestamptz not null default now()
);
create index login_failures_by_account on login_failures (account_key, failed_at);
create index login_failures_by_address on login_failures (address_key, failed_at);
create index login_failures_by_time on login_failures (failed_at);

-- Addresses from which an account has logged in: an attack from elsewhere never locks these out.
create table known_addresses (
  account_id uuid not null references accounts on delete cascade,
  address_key text not null,
  last_success_at timestamptz not null default now(),
  primary key (account_id, address_key)
);

-- Counts an attempt on an account (null: there is none of this name) from an address, or refuses it. One that is refused is not counted, so that waiting helps.
--   pair     5 in a minute or 10 in ten minutes on this account from this address
--   address  50 in ten minutes from this address, on whatever accounts
--   account  from the 20th within an hour on, from anywhere, the next may follow after 1 s, 2 s, 4 s … 60 s
-- The last two do not concern an address from which the account has logged in before; the last does not concern what cannot be guessed, however often it is tried: a recovery
-- code, with which an owner gets in from a new address while somebody else tries his password.
create function begin_attempt(account uuid, tried_account text, tried_address text, guessable boolean default true)
returns table (attempt_id bigint, refused_for text, retry_after_seconds integer)
language plpgsql as $$
declare
  moment timestamptz;
  known boolean;
  free_at timestamptz;
  recent integer;
  latest timestamptz;
begin
  -- One after the other for an account, and then for an address, always in this order; until the end of the transaction, which is this statement's.
  perform pg_advisory_xact_lock(hashtextextended('attempts on account ' || tried_account, 0));
  perform pg_advisory_xact_lock(hashtextextended('attempts from address ' || tried_address, 0));
  moment := clock_timestamp();

  select max(blocked_until) into free_at from (
    (select failed_at + interval '1 minute' as blocked_until from login_failures
      where account_key = tried_account and address_key = tried_address order by failed_at desc offset 4 limit 1)
    union all
    (select failed_at + interval '10 minutes' from login_failures
      where account_key = tried_account and address_key = tried_address order by failed_at desc offset 9 limit 1)
  ) as limits;
  if free_at > moment then
    return query select null::bigint, 'pair', ceil(extract(epoch from free_at - moment))::integer;
    return;
  end if;

  select exists (select from known_addresses where account_id = account and address_key = tried_address) into known;
  if not known then
    select failed_at + interval '10 minutes' into free_at from login_failures
      where address_key = tried_address order by failed_at desc offset 49 limit 1;
    if free_at > moment then
      return query select null::bigint, 'address', ceil(extract(epoch from free_at - moment))::integer;
      return;
    end if;

    select count(*), max(failed_at) into recent, latest from login_failures
      where guessable and account_key = tried_account and failed_at > moment - interval '1 hour';
    if recent >= 20 then
      free_at := latest + least(60, power(2, least(recent - 20, 6))) * interval '1 second';
      if free_at > moment then
        return query select null::bigint, 'account', ceil(extract(epoch from free_at - moment))::integer;
        return;
      end if;
    end if;
  end if;

  return query insert into login_failures (account_key, address_key, failed_at) values (tried_account, tried_address, moment)
    returning id, null::text, null::integer;
end
$$;
