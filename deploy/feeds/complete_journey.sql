-- Complete Journey (84.51): transactions.parquet, joined with products.parquet. One basket is one
-- order; the family of a line is the product's department.
--   concierge feed transactions.parquet --table products=products.parquet \
--     --topic purchases --sql deploy/feeds/complete_journey.sql
SELECT
    list(row) AS row,
    'basket-' || basket_id AS event_id,
    'household-' || any_value(household_id) AS customer_id,
    min(transaction_timestamp) AT TIME ZONE 'America/New_York' AS occurred_at,
    'order' AS kind,
    basket_id::VARCHAR AS order_id,
    'USD' AS currency,
    'store' AS channel,
    list({
        'product_id': product_id::VARCHAR,
        'family': slug(department),
        'quantity': quantity::DOUBLE,
        -- sales_value is what was paid for the whole line, discounts already taken off.
        'unit_price_minor': minor_units(sales_value / quantity)
    } ORDER BY row) AS lines
FROM data LEFT JOIN products USING (product_id)
-- Lines without a quantity (coupons, returned deposits) are no purchase.
WHERE quantity > 0
GROUP BY basket_id
