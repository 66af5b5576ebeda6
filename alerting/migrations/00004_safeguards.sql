-- +goose Up

-- All seed codes of the entry, with commas between and around: ",CA,MFA,". Empty
-- in rows from before, until the ledger has filled it in.
ALTER TABLE violations ADD COLUMN safeguards TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE violations DROP COLUMN safeguards;
