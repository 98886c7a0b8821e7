{{ config(
    materialized='table',
    execution_config={'pipeline.name': 'revenue_per_customer'},
    connector_properties={'connector': 'blackhole'}
) }}

-- A row changes with every order of the customer. Files cannot take changes, so a real shop would write to a database
-- (jdbc) or a compacted topic (upsert-kafka).
select
    customer_id,
    count(*) as orders,
    sum(amount_cents) as revenue_cents
from {{ ref('counted_orders') }}
group by customer_id
