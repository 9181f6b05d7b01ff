-- +goose Up

-- Tools act on other things than dead letters, too: place and message_id then name what
-- it was. Which acts there are is the tools' to know.
ALTER TABLE operations.acts DROP CONSTRAINT acts_act_check;
ALTER TABLE operations.acts ADD CONSTRAINT acts_act_check CHECK (act ~ '^[a-z][a-z ]{2,39}$');

-- +goose Down
DELETE FROM operations.acts WHERE act NOT IN ('redrive', 'redrive all', 'cancel redrive', 'discard', 'send again');
ALTER TABLE operations.acts DROP CONSTRAINT acts_act_check;
ALTER TABLE operations.acts ADD CONSTRAINT acts_act_check
    CHECK (act IN ('redrive', 'redrive all', 'cancel redrive', 'discard', 'send again'));
