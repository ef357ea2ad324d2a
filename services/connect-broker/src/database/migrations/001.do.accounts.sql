-- Accounts, and every way to prove that one is yours. Nothing here can be used by whoever reads it: passwords are argon2id, tokens and codes are hashed.

create table accounts (
  id uuid primary key default gen_random_uuid(),
  -- As its owner writes it, and what makes it unique: NFKC, case-folded.
  name text not null check (char_length(name) between 1 and 40),
  name_key text not null constraint accounts_name_key unique,
  -- Null for an account that logs in through an identity only.
  password_hash text,
  email text,
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
create function session_account(candidates bytea[])
returns table (session_id uuid, kind text, account_id uuid, account_name text, role text)
language sql stable as $$
  select sessions.id, sessions.kind, accounts.id, accounts.name, accounts.role
  from sessions join accounts on accounts.id = sessions.account_id
  where sessions.token_hash = any (candidates) and sessions.expires_at > now()
  limit 1
$$;

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
  issuer text not null,
  subject text not null,
  account_id uuid not null references accounts on delete cascade,
  title text not null default '',
  linked_at timestamptz not null default now(),
  primary key (issuer, subject)
);
create index identities_by_account on identities (account_id);

-- A login through an issuer that is under way, so that any replica can finish it.
create table openid_flows (
  state_hash bytea primary key,
  provider text not null,
  nonce text not null,
  code_verifier text not null,
  -- The account that links an identity; null for a login.
  account_id uuid references accounts on delete cascade,
  -- What happens afterwards: the page's cookie, or a one-time code to a game client's loopback address.
  details jsonb not null,
  expires_at timestamptz not null
);

create table login_failures (
  account_key text not null,
  -- An IPv4 address or an IPv6 network of /64.
  address_key text not null,
  failed_at timestamptz not null default now()
);
create index login_failures_by_account on login_failures (account_key, failed_at);
create index login_failures_by_address on login_failures (address_key, failed_at);

-- Addresses from which an account has logged in: an attack from elsewhere never locks these out.
create table known_addresses (
  account_id uuid not null references accounts on delete cascade,
  address_key text not null,
  last_success_at timestamptz not null default now(),
  primary key (account_id, address_key)
);
