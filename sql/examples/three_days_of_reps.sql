-- What did each rep do in the three days up to 7 January?
SELECT w.rep_id, w.touches, w.effective_touches, w.quotes_sent, w.deals_signed, w.amount_signed
FROM rep_window(DATE '2026-01-07', 3) AS w
ORDER BY w.amount_signed DESC, w.touches DESC, w.rep_id;
