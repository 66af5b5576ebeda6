-- +goose Up

-- What is heard from each stream of audit records, and how long it is usually
-- quiet. Times are unix microseconds, durations microseconds. A quiet is only
-- counted while somebody listens: connected, and with nothing left unread.
CREATE TABLE blind_streams (
    tenant   TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    workload TEXT   NOT NULL, -- or category, of kinds that have parts; empty: all of the kind
    started  BIGINT NOT NULL, -- first heard, or expected from
    heard    BIGINT NOT NULL, -- when a record last arrived; 0: never
    happened BIGINT NOT NULL, -- newest event time
    records  BIGINT NOT NULL,
    spells   BIGINT NOT NULL, -- hours in which it was heard
    attended BIGINT NOT NULL, -- how long it has been listened to
    quiet    BIGINT NOT NULL, -- of that, since heard
    hour     BIGINT NOT NULL, -- unix hours up to which usual has aged
    hubs     TEXT   NOT NULL, -- that have carried it, one a line
    usual    BYTEA  NOT NULL, -- longest quiets of the last weeks by hour of the week
    PRIMARY KEY (tenant, kind, workload)
);

-- What is wrong, or was: which of it the ledger has been told.
CREATE TABLE blind_alarms (
    entry   TEXT    NOT NULL,
    tenant  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    is_open BOOLEAN NOT NULL,
    since   BIGINT  NOT NULL, -- bad since; 0: it is not
    well    BIGINT  NOT NULL, -- of an open one, good since; 0: it is not
    told    BIGINT  NOT NULL, -- time of the last finding: the next one is not before it
    PRIMARY KEY (entry, tenant, subject)
);

-- Whether a rule's fields have ever been seen in what it reads.
CREATE TABLE blind_rules (
    entry   TEXT    NOT NULL PRIMARY KEY,
    fields  TEXT    NOT NULL, -- a hash: another rule under the same name begins anew
    since   BIGINT  NOT NULL,
    records BIGINT  NOT NULL, -- of its log source, when it began
    seen    BOOLEAN NOT NULL
);

-- Settings that send records to the hubs: which of them were last seen switched
-- off, by event time.
CREATE TABLE blind_offs (
    entry   TEXT    NOT NULL,
    tenant  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    at      BIGINT  NOT NULL,
    is_off  BOOLEAN NOT NULL,
    PRIMARY KEY (entry, tenant, subject)
);

-- Its one row lets one process at a time judge, and says when one last did.
CREATE TABLE blind_head (
    one    BIGINT PRIMARY KEY CHECK (one = 1),
    ticked BIGINT NOT NULL
);
INSERT INTO blind_head (one, ticked) VALUES (1, 0);

-- +goose Down
DROP TABLE blind_head;
DROP TABLE blind_offs;
DROP TABLE blind_rules;
DROP TABLE blind_alarms;
DROP TABLE blind_streams;
