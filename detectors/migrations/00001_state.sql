-- +goose Up

-- Azure Activity tells an operation in several records: the first holds the
-- request, the last the outcome. What waits for its other half is kept here,
-- for as long as records may be late.
CREATE TABLE activity_joins (
    operation TEXT    NOT NULL, -- correlation id, operation and resource, case-folded
    part      TEXT    NOT NULL, -- "result", or the entry, state and subject that the request would change
    happened  BIGINT  NOT NULL, -- event time, unix microseconds
    outcome   TEXT    NOT NULL, -- of a result: success or failure
    finding   BYTEA   NOT NULL, -- of a request: the finding, as JSON; of a result: its event's evidence
    PRIMARY KEY (operation, part)
);
CREATE INDEX activity_joins_happened ON activity_joins (happened);

-- For rules that see only the new value: since when a subject is known to have
-- been strong. A weak value before that may be no change at all.
CREATE TABLE known_strong (
    entry   TEXT   NOT NULL,
    tenant  TEXT   NOT NULL,
    subject TEXT   NOT NULL, -- case-folded
    since   BIGINT NOT NULL, -- event time, unix microseconds
    PRIMARY KEY (entry, tenant, subject)
);

-- Weak values found while the subject was not known to have been strong, in
-- case a late record tells that it was.
CREATE TABLE unknown_weak (
    entry    TEXT   NOT NULL,
    tenant   TEXT   NOT NULL,
    subject  TEXT   NOT NULL,
    event    TEXT   NOT NULL,
    happened BIGINT NOT NULL, -- event time, unix microseconds
    finding  BYTEA  NOT NULL, -- as JSON
    PRIMARY KEY (entry, tenant, subject, event)
);
CREATE INDEX unknown_weak_happened ON unknown_weak (happened);

-- +goose Down
DROP TABLE unknown_weak;
DROP TABLE known_strong;
DROP TABLE activity_joins;
