-- +goose Up

-- For rules whose restore must give back at least what was lost: what each
-- weakening took, and the restores that may have to be judged again when a
-- late weakening turns up before them.
CREATE TABLE regained (
    entry    TEXT   NOT NULL,
    tenant   TEXT   NOT NULL,
    subject  TEXT   NOT NULL, -- case-folded
    event    TEXT   NOT NULL,
    state    TEXT   NOT NULL, -- weakened or restored
    happened BIGINT NOT NULL, -- event time, unix microseconds
    value    TEXT   NOT NULL, -- lost, or now in force
    finding  BYTEA  NOT NULL, -- of a restore, as JSON
    PRIMARY KEY (entry, tenant, subject, event, state)
);

-- +goose Down
DROP TABLE regained;
