-- Open Bandit Dataset (Saito et al. 2021, ZOZO, CC BY 4.0), campaign "all", logged by the random
-- policy: 10,000 impressions of 80 fashion items in 3 positions, clicked or not, with the true
-- probability of every choice. Evaluates, besides ours, the Thompson sampler that ran beside it.
--
--   python -m streams.backtest.thompson prior_bts.yaml --out deploy/backtest/obd_bts.csv
--   concierge backtest random/all/all.csv --sql deploy/backtest/obd.sql --policy deploy/backtest/obd_bts.csv
--
-- The first command writes the sampler's choices by position (a second); obd_bts.csv is here already.
SELECT row,
       timestamp::TIMESTAMPTZ AS time,
       item_id AS action,
       propensity_score::DOUBLE AS probability,
       click::BOOLEAN AS outcome,
       position, user_feature_0, user_feature_1, user_feature_2, user_feature_3
FROM data
