-- +goose Up

-- How much an observation says of the sides of a safeguard: of two tellings of
-- one event, the one that knows more counts.
ALTER TABLE observations ADD COLUMN weight BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE observations DROP COLUMN weight;
