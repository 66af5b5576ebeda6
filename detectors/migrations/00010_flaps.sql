-- +goose Up

-- How safeguards go and come is told by the ledger of violations, which knows it.
DROP TABLE flaps;

-- +goose Down
CREATE TABLE flaps (
    thing    TEXT   NOT NULL,
    event    TEXT   NOT NULL,
    weak     BOOLEAN NOT NULL,
    happened BIGINT NOT NULL,
    PRIMARY KEY (thing, event, weak)
);
CREATE INDEX flaps_happened ON flaps (happened);
CREATE INDEX flaps_weak ON flaps (thing, weak, happened);
