-- Online Retail (UCI 352, Chen 2015, CC BY 4.0): 541,909 order lines of a gift shop. Will a customer
-- who buys today come back within 30 days? Every label is 30 days late, and all a model sees is a
-- rolling state that is rebuilt from the raw lines, as it was on that day.
--
--   concierge backtest online_retail.parquet --sql deploy/backtest/online_retail.sql --target
WITH purchases AS (
    -- All that a customer ordered on one day is one purchase: split orders are no repurchase.
    SELECT list(row) AS row,
           CustomerID::BIGINT::VARCHAR AS customer,
           max(timezone('Europe/London', InvoiceDate)) AS time,
           sum(Quantity * UnitPrice) AS amount,
           count(*) AS lines
    FROM data
    -- Lines without a customer teach nothing of any; a quantity below 0 is a cancellation.
    WHERE CustomerID IS NOT NULL AND Quantity > 0
    GROUP BY CustomerID, date_trunc('day', timezone('Europe/London', InvoiceDate))
),
dated AS (
    SELECT *, epoch(time - min(time) OVER ()) / 86400 AS day FROM purchases
)
SELECT row, customer, time,
       -- The outcome: the next purchase within 30 days. It is not known where the log ends earlier.
       min(time) OVER next_30_days AS outcome_time,
       INTERVAL 30 DAYS AS "window",
       time + INTERVAL 30 DAYS <= max(time) OVER () AS known,
       amount, lines,
       -- What was known of the customer: only purchases strictly before this one.
       epoch_ms(time - max(time) OVER earlier) / 86400000 AS days_since_purchase,
       epoch_ms(time - min(time) OVER earlier) / 86400000 AS days_as_customer,
       CASE WHEN count(*) OVER earlier > 1 THEN
           epoch_ms(max(time) OVER earlier - min(time) OVER earlier) / (count(*) OVER earlier - 1) / 86400000
       END AS days_between_purchases,
       count(*) OVER earlier AS purchases,
       -- Sums in which a purchase of a half-life ago counts half: each is weighed by 2^(its day /
       -- half-life), and the sum divided by the weight of today.
       coalesce(sum(2 ** (day / 7)) OVER earlier, 0) / 2 ** (day / 7) AS purchases_7d,
       coalesce(sum(2 ** (day / 30)) OVER earlier, 0) / 2 ** (day / 30) AS purchases_30d,
       coalesce(sum(2 ** (day / 90)) OVER earlier, 0) / 2 ** (day / 90) AS purchases_90d,
       coalesce(sum(amount) OVER earlier, 0) AS spent
FROM dated
WINDOW earlier AS (PARTITION BY customer ORDER BY time
                   RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL 1 MICROSECOND PRECEDING),
       next_30_days AS (PARTITION BY customer ORDER BY time
                        RANGE BETWEEN INTERVAL 1 MICROSECOND FOLLOWING AND INTERVAL 30 DAYS FOLLOWING)
