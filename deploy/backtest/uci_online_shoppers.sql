-- Online shoppers' purchasing intention (UCI 468, Sakar et al. 2018, CC BY 4.0): 12,330 sessions of
-- a shop; did the session end with a purchase?
--
--   concierge backtest online_shoppers_intention.csv --sql deploy/backtest/uci_online_shoppers.sql --target
--
-- There is no time: rows go in the order of the file.
SELECT row, * EXCLUDE (row, Revenue), Revenue::BOOLEAN AS outcome
FROM typed
