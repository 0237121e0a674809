-- Records one sale of a known customer, given as the JSON of crmkit's TransactionInput, with its
-- points and the customer's figures. A sale that is known changes nothing. What is answered is in
-- `made`, from which the statement's user selects.
WITH given AS (
  SELECT $1::json ->> 'source' AS source, $1::json ->> 'externalId' AS external_id,
    ($1::json ->> 'occurredAt')::timestamptz AS at, $1::json ->> 'currency' AS currency,
    replace($1::json #>> '{customer,id}', 'cus_', '')::uuid AS customer_id,
    $1::json ->> 'store' AS store
), line AS (
  SELECT position, l ->> 'sku' AS sku, l ->> 'description' AS description,
    l ->> 'category' AS category, ((l ->> 'quantity')::numeric * 1000)::bigint AS quantity_milli,
    ((l ->> 'unitPrice')::numeric * 1000000)::bigint AS unit_price_micros,
    round((l ->> 'quantity')::numeric * (l ->> 'unitPrice')::numeric * 100)::bigint AS amount_minor
  FROM json_array_elements($1::json -> 'lines') WITH ORDINALITY AS x(l, position)
), sums AS (
  SELECT sum(amount_minor)::bigint AS total, sum(quantity_milli)::bigint AS quantity FROM line
), sale AS (
  INSERT INTO transaction (id, kind, source, external_id, customer_id, occurred_at, recorded_at,
    business_on, channel, store, currency, total_minor, paid_minor, due_minor, fingerprint)
  SELECT gen_random_uuid(), 'sale', source, external_id, customer_id, at, now(),
    (at AT TIME ZONE 'UTC')::date, 'store', store, currency, total, total, 0, md5($1::json::text)
  FROM given, sums
  ON CONFLICT (source, external_id) DO NOTHING
  RETURNING id, customer_id, occurred_at, business_on, store, currency, total_minor
), lines AS (
  INSERT INTO transaction_line (transaction_id, position, kind, sku, description, category,
    quantity_milli, unit_price_micros, discount_minor, tax_minor, amount_minor)
  SELECT id, position, 'product', sku, description, category, quantity_milli, unit_price_micros,
    0, 0, amount_minor FROM sale, line
), account AS (
  INSERT INTO loyalty_account AS held (customer_id, balance, debt)
  SELECT customer_id, total_minor / 100, 0 FROM sale
  ON CONFLICT (customer_id, point_kind) DO UPDATE SET balance = held.balance + excluded.balance
  RETURNING balance
), entry AS (
  INSERT INTO loyalty_ledger_entry (id, customer_id, kind, points_delta, balance_after, source,
    source_id, line, rule, explanation, idempotency_key, occurred_at, recorded_at)
  SELECT gen_random_uuid(), customer_id, 'accrual', total_minor / 100, balance, 'transaction', id,
    0, 'per_amount', json_build_object('version', 1, 'amount_minor', total_minor, 'currency',
    currency, 'points_per_major_unit', '1')::jsonb, 'accrual:per_amount:' || id, occurred_at, now()
  FROM sale, account
  RETURNING id, customer_id, points_delta, occurred_at
), lot AS (
  INSERT INTO loyalty_lot (id, customer_id, entry_id, points, active_from)
  SELECT gen_random_uuid(), customer_id, id, points_delta, occurred_at FROM entry
), metrics AS (
  INSERT INTO customer_metrics AS held (customer_id, currency, first_sale_at, last_sale_at,
    sale_count, return_count, net_minor, returned_minor, quantity_milli, purchase_day_count)
  SELECT customer_id, currency, occurred_at, occurred_at, 1, 0, total_minor, 0, quantity,
    CASE WHEN EXISTS (SELECT FROM customer_day d WHERE d.customer_id = sale.customer_id AND
      d.currency = sale.currency AND d.business_on = sale.business_on AND d.sale_count > 0)
    THEN 0 ELSE 1 END
  FROM sale, sums
  ON CONFLICT (customer_id, currency) DO UPDATE SET
    first_sale_at = least(held.first_sale_at, excluded.first_sale_at),
    last_sale_at = greatest(held.last_sale_at, excluded.last_sale_at),
    sale_count = held.sale_count + 1, net_minor = held.net_minor + excluded.net_minor,
    quantity_milli = held.quantity_milli + excluded.quantity_milli,
    purchase_day_count = held.purchase_day_count + excluded.purchase_day_count
), day AS (
  INSERT INTO customer_day AS held (customer_id, currency, business_on, sale_count, return_count,
    net_minor, quantity_milli)
  SELECT customer_id, currency, business_on, 1, 0, total_minor, quantity FROM sale, sums
  ON CONFLICT (customer_id, currency, business_on) DO UPDATE SET sale_count = held.sale_count + 1,
    net_minor = held.net_minor + excluded.net_minor,
    quantity_milli = held.quantity_milli + excluded.quantity_milli
), categories AS (
  INSERT INTO customer_category_metrics AS held (customer_id, currency, category, net_minor,
    quantity_milli, line_count)
  SELECT customer_id, currency, category, sum(amount_minor)::bigint, sum(quantity_milli)::bigint,
    count(*) FROM sale, line GROUP BY customer_id, currency, category
  ON CONFLICT (customer_id, currency, category) DO UPDATE SET
    net_minor = held.net_minor + excluded.net_minor,
    quantity_milli = held.quantity_milli + excluded.quantity_milli,
    line_count = held.line_count + excluded.line_count
), stores AS (
  INSERT INTO customer_store_metrics AS held (customer_id, currency, store, net_minor, sale_count)
  SELECT customer_id, currency, store, total_minor, 1 FROM sale
  ON CONFLICT (customer_id, currency, store) DO UPDATE SET
    net_minor = held.net_minor + excluded.net_minor, sale_count = held.sale_count + 1
), made AS (
SELECT 'TAKEN' AS outcome, id, total_minor, currency, balance FROM sale, account
UNION ALL
SELECT 'KNOWN', t.id, t.total_minor, t.currency, a.balance
FROM given JOIN transaction t USING (source, external_id)
JOIN loyalty_account a ON a.customer_id = t.customer_id
WHERE NOT EXISTS (SELECT FROM sale)
)
