-- The helpdesk log (4TU): CaseID, ActivityID, CompleteTimestamp. Activities have numbers only: 1
-- begins nearly every ticket, 6 ends every one, the others lie between. The log names no customer,
-- so each ticket is taken as a customer of its own.
--   concierge feed helpdesk.csv --topic support --sql deploy/feeds/helpdesk.sql
SELECT
    row,
    'helpdesk-' || CaseID || '-' || row AS event_id,
    'case-' || CaseID AS customer_id,
    instant(CompleteTimestamp, 'Europe/Rome') AS occurred_at,
    CASE ActivityID WHEN '1' THEN 'opened' WHEN '6' THEN 'resolved' ELSE 'message' END AS kind,
    CaseID AS ticket_id
FROM data
