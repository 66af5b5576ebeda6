-- +goose Up

-- Settings that send records to the hubs, or parts of them: which were last seen
-- switched off, by event time. Takes the place of blind_offs, which knew no
-- parts. Times are unix microseconds.
CREATE TABLE blind_cuts (
    entry   TEXT    NOT NULL,
    tenant  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    side    TEXT    NOT NULL, -- as the finding names it, case-folded; empty: the whole setting
    at      BIGINT  NOT NULL,
    is_off  BOOLEAN NOT NULL,
    PRIMARY KEY (entry, tenant, subject, side)
);
INSERT INTO blind_cuts (entry, tenant, subject, side, at, is_off) SELECT entry, tenant, subject, '', at, is_off FROM blind_offs;
DROP TABLE blind_offs;

-- How long the resources and categories whose settings are off have been quiet.
CREATE TABLE blind_lulls (
    tenant  TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    heard   BIGINT NOT NULL, -- when a record last arrived that happened after the setting was off; 0: none did
    quiet   BIGINT NOT NULL, -- microseconds that somebody listened since then
    longest BIGINT NOT NULL, -- such a quiet that a record ended
    PRIMARY KEY (tenant, subject)
);

-- When whole streams were switched off and on, by event time, as far as it
-- matters for the intervals between.
CREATE TABLE blind_switches (
    entry   TEXT    NOT NULL,
    tenant  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    at      BIGINT  NOT NULL,
    is_off  BOOLEAN NOT NULL,
    told    BIGINT  NOT NULL, -- of what is on: since when it was told to have been off; 0: it was not
    PRIMARY KEY (entry, tenant, subject, at, is_off)
);

-- +goose Down
DROP TABLE blind_switches;
DROP TABLE blind_lulls;
CREATE TABLE blind_offs (
    entry   TEXT    NOT NULL,
    tenant  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    at      BIGINT  NOT NULL,
    is_off  BOOLEAN NOT NULL,
    PRIMARY KEY (entry, tenant, subject)
);
INSERT INTO blind_offs (entry, tenant, subject, at, is_off) SELECT entry, tenant, subject, at, is_off FROM blind_cuts WHERE side = '';
DROP TABLE blind_cuts;
