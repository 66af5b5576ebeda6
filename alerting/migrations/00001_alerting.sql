-- All times are microseconds since 1970 UTC; 0 is "never".

-- +goose Up

-- One row for each tenant + entry + subject that was ever weakened.
CREATE TABLE violations (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL,
    entry        TEXT NOT NULL,
    safeguard    TEXT NOT NULL,
    severity     BIGINT NOT NULL,
    state        TEXT NOT NULL,
    opened       BIGINT NOT NULL,
    newest_at    BIGINT NOT NULL,   -- sort key of the newest observation
    newest_rank  BIGINT NOT NULL,
    newest_event TEXT NOT NULL,
    oldest_at    BIGINT NOT NULL,   -- time of the oldest observation not yet compacted
    horizon      BIGINT NOT NULL,   -- observations before this are folded into base
    quiet_until  BIGINT NOT NULL,   -- when an open incident closes by itself
    swept        BIGINT NOT NULL,   -- when the sweep last closed it
    base         BYTEA,             -- the episode up to horizon
    episode      BYTEA NOT NULL     -- the episode after every observation
);
CREATE INDEX violations_opened ON violations (opened, id);
CREATE INDEX violations_open ON violations (safeguard, severity) WHERE state IN ('open', 'acknowledged');
CREATE INDEX violations_quiet ON violations (quiet_until) WHERE quiet_until > 0;

-- What events (and people) said of a subject, each once, for 72 hours.
-- violation has no row in violations while nothing but restores is known.
CREATE TABLE observations (
    violation TEXT NOT NULL,
    event     TEXT NOT NULL,
    state     TEXT NOT NULL,
    at        BIGINT NOT NULL,
    severity  BIGINT NOT NULL,
    quiet     BIGINT NOT NULL,
    arrived   BIGINT NOT NULL,
    body      BYTEA NOT NULL,
    PRIMARY KEY (violation, event, state)
);
CREATE INDEX observations_time ON observations (violation, at);
CREATE INDEX observations_orphans ON observations (arrived) WHERE state = 'restored';

-- Whole records, gzip, for as long as the configuration says.
CREATE TABLE evidence (
    event         TEXT PRIMARY KEY,
    stored        BIGINT NOT NULL,
    at            BIGINT NOT NULL,
    kind          TEXT NOT NULL,
    hub           TEXT NOT NULL,
    hub_partition TEXT NOT NULL,
    sequence      BIGINT NOT NULL,
    kept          BOOLEAN NOT NULL,  -- false: of a restore of nothing known, kept 72 hours
    record        BYTEA NOT NULL
);
CREATE INDEX evidence_stored ON evidence (stored);
CREATE INDEX evidence_orphans ON evidence (stored) WHERE NOT kept;

-- The outbox: one row for each group, which has one receiver.
CREATE TABLE deliveries (
    id         TEXT PRIMARY KEY,      -- Group.Key
    base       TEXT NOT NULL,         -- receiver, route and labels
    generation BIGINT NOT NULL,
    receiver   TEXT NOT NULL,
    route      TEXT NOT NULL,
    labels     TEXT NOT NULL,         -- JSON object
    wanted     BIGINT NOT NULL,       -- changes matched
    achieved   BIGINT NOT NULL,       -- changes told
    due        BIGINT NOT NULL,       -- earliest next attempt
    since      BIGINT NOT NULL,       -- when the oldest change not yet told was made
    enqueued   BIGINT NOT NULL,       -- when the hub accepted the event behind it
    sent       BIGINT NOT NULL,       -- last success
    failures   BIGINT NOT NULL,       -- since the last success
    pause      BIGINT NOT NULL,       -- group_interval of the route
    attempting BOOLEAN NOT NULL,      -- an attempt began and is not recorded
    uncertain  BOOLEAN NOT NULL,      -- an attempt since the last success may have arrived all the same
    parked     BOOLEAN NOT NULL,      -- failed for good, until something changes
    finished   BOOLEAN NOT NULL,      -- everything over and told: a new violation begins a new generation
    error      TEXT NOT NULL,
    receipt    BYTEA,
    UNIQUE (base, generation)
);
CREATE INDEX deliveries_pending ON deliveries (receiver, due) WHERE wanted > achieved;

CREATE TABLE delivery_members (
    delivery  TEXT NOT NULL,
    violation TEXT NOT NULL,
    PRIMARY KEY (delivery, violation)
);
CREATE INDEX delivery_members_violation ON delivery_members (violation);

-- matched = delivered + merged + suppressed + pending, at every commit.
CREATE TABLE delivery_accounts (
    receiver   TEXT PRIMARY KEY,
    matched    BIGINT NOT NULL,
    delivered  BIGINT NOT NULL,
    merged     BIGINT NOT NULL,
    suppressed BIGINT NOT NULL,
    retried    BIGINT NOT NULL,
    failed     BIGINT NOT NULL
);

-- Counters that must survive a restart and a rolled-back batch.
CREATE TABLE ledger_counts (
    name  TEXT NOT NULL,
    label TEXT NOT NULL,
    n     BIGINT NOT NULL,
    PRIMARY KEY (name, label)
);

-- Whoever writes the ledger locks this row first.
CREATE TABLE ledger_lock (
    one BIGINT PRIMARY KEY,
    n   BIGINT NOT NULL
);
INSERT INTO ledger_lock (one, n) VALUES (1, 0);

-- +goose Down
DROP TABLE ledger_lock;
DROP TABLE ledger_counts;
DROP TABLE delivery_accounts;
DROP TABLE delivery_members;
DROP TABLE deliveries;
DROP TABLE evidence;
DROP TABLE observations;
DROP TABLE violations;
