-- Bank marketing (UCI 222, Moro, Cortez, Rita 2014, CC BY 4.0): 41,188 calls of a Portuguese bank in
-- the order in which they were made; `y` says whether the customer took the deposit.
--
--   concierge backtest bank-additional-full.csv --sql deploy/backtest/bank_marketing.sql --target
--
-- The calls have no full date, so rows are taken in the order of the file (chronological by the
-- data's own description) and the outcome is known before the next call.
--
-- `duration` is how long the call took: it is not known before the call, and gives the outcome away.
-- `pdays` is 999 where a customer was never called before.
SELECT row,
       y::BOOLEAN AS outcome,
       * EXCLUDE (row, y, duration, pdays),
       nullif(pdays, 999) AS days_since_call
FROM typed
