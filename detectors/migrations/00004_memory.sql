-- +goose Up

-- For rules that hold a value against what it was: what events told of a
-- subject in the last six days, and the newest from before.
CREATE TABLE remembered (
    entry    TEXT   NOT NULL,
    tenant   TEXT   NOT NULL,
    subject  TEXT   NOT NULL, -- case-folded
    event    TEXT   NOT NULL,
    happened BIGINT NOT NULL, -- event time, unix microseconds
    finding  BYTEA  NOT NULL, -- the values told, as JSON
    PRIMARY KEY (entry, tenant, subject, event)
);

-- For rules whose events know a subject by another name: the names, and the
-- findings that wait for a subject of their name.
CREATE TABLE aliases (
    entry   TEXT NOT NULL,
    tenant  TEXT NOT NULL,
    name    TEXT NOT NULL, -- case-folded
    subject TEXT NOT NULL, -- case-folded
    PRIMARY KEY (entry, tenant, name, subject)
);
CREATE TABLE alias_waiting (
    entry    TEXT   NOT NULL,
    tenant   TEXT   NOT NULL,
    name     TEXT   NOT NULL,
    event    TEXT   NOT NULL,
    happened BIGINT NOT NULL, -- event time, unix microseconds
    finding  BYTEA  NOT NULL, -- as JSON
    PRIMARY KEY (entry, tenant, name, event)
);
CREATE INDEX alias_waiting_happened ON alias_waiting (happened);

-- +goose Down
DROP TABLE alias_waiting;
DROP TABLE aliases;
DROP TABLE remembered;
