-- Starbucks offers (the Udacity capstone's simulation, one row per offer sent): 76,277 offers in six
-- waves to 16,994 customers, each drawn evenly among ten; 132 hours later, say, the customer has
-- spent enough to complete it. No licence is stated: for one's own tests only.
--
--   concierge backtest train_v3_starbucks.csv.gz test_v3_starbucks.csv.gz --sql deploy/backtest/starbucks_offers.sql --probability uniform
--
-- The file's many totals (offers viewed, amounts ...) are of the whole period and would tell the
-- future. They are not used; the customer's state is rebuilt from what had happened by then.
WITH offers AS (
    SELECT row,
           customer_id AS customer,
           -- Hours since the test began.
           TIMESTAMP '1970-01-01' + offer_received_time::DOUBLE * INTERVAL 1 HOUR AS time,
           offer_id AS action,
           offer_type,
           offer_completed::DOUBLE = 1 AS outcome,
           -- -1 where an offer was not completed; only that of a completed one counts.
           TIMESTAMP '1970-01-01' + abs(offer_completed_time::DOUBLE) * INTERVAL 1 HOUR AS outcome_time,
           -- A completed offer brings at least its difficulty in sales and costs its reward: known
           -- beforehand.
           difficulty::DOUBLE - reward::DOUBLE AS value,
           -- Hours in which it can be completed. Both labels wait for the end.
           duration::DOUBLE * INTERVAL 1 HOUR AS "window",
           age::DOUBLE AS age, income::DOUBLE AS income, days_registered::DOUBLE AS days_registered,
           CASE WHEN gender_F::DOUBLE > 0 THEN 'F' WHEN gender_M::DOUBLE > 0 THEN 'M' ELSE 'unknown' END AS gender
    FROM data
    -- Informational offers have nothing to complete.
    WHERE offer_type IN ('bogo', 'discount')
    -- A join has doubled 81 rows.
    QUALIFY row_number() OVER (PARTITION BY customer_id, offer_received_time, offer_id ORDER BY row) = 1
),
-- What was known of the customer: offers, ends of windows and completions strictly before the row.
history AS (
    SELECT o.row,
           count(*) FILTER (past.time < o.time) AS offers,
           max(past.time) FILTER (past.time < o.time) AS last_offer,
           count(*) FILTER (past.time + past."window" < o.time) AS offers_settled,
           count(*) FILTER (past.outcome AND past.outcome_time < o.time) AS completed,
           max(past.outcome_time) FILTER (past.outcome AND past.outcome_time < o.time) AS last_completed,
           count(*) FILTER (past.outcome AND past.outcome_time < o.time AND past.offer_type = 'bogo') AS bogo_completed,
           count(*) FILTER (past.outcome AND past.outcome_time < o.time AND past.offer_type = 'discount') AS discount_completed
    FROM offers o JOIN offers past ON past.customer = o.customer AND past.time <= o.time
    GROUP BY o.row
)
SELECT o.* EXCLUDE (offer_type),
       offers,
       epoch_ms(o.time - last_offer) / 86400000 AS days_since_offer,
       offers_settled,
       completed,
       epoch_ms(o.time - last_completed) / 86400000 AS days_since_completed,
       bogo_completed,
       discount_completed
FROM offers o JOIN history USING (row)
