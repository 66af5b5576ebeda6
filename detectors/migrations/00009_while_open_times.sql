-- +goose Up

-- What a thing is judged by is what lies between its closings before and after,
-- however often it opens and closes.
CREATE INDEX while_open_times ON while_open (correlation, thing, happened) WHERE role <> 'seen';

-- +goose Down
DROP INDEX while_open_times;
