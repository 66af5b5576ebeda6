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

-- +goose Down
DROP TABLE remembered;
