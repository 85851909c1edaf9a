-- UCI Online Retail as CSV (InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice,
-- CustomerID, Country). All lines of an invoice become one order, or one refund where its number
-- begins with C. Lines without a customer are left out.
--   concierge feed online_retail.csv --topic purchases --sql deploy/feeds/online_retail.sql
SELECT
    list(row) AS row,
    'uci-' || InvoiceNo AS event_id,
    digits_id(any_value(CustomerID)) AS customer_id,
    -- The times are those of the shop's clock, in month/day/year.
    min(strptime(InvoiceDate, '%m/%d/%Y %H:%M')) AT TIME ZONE 'Europe/London' AS occurred_at,
    CASE WHEN InvoiceNo LIKE 'C%' THEN 'refund' ELSE 'order' END AS kind,
    InvoiceNo AS order_id,
    'GBP' AS currency,
    'web' AS channel,
    list({
        'product_id': StockCode,
        'quantity': abs(Quantity::DOUBLE),
        'unit_price_minor': minor_units(UnitPrice)
    } ORDER BY row) AS lines
FROM data
WHERE CustomerID IS NOT NULL
GROUP BY InvoiceNo
