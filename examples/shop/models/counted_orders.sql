{{ config(materialized='view') }}

-- Small orders are mostly samples, which would spoil the averages.
select order_number, customer_id, amount_cents, ordered_at
from {{ source('raw', 'orders') }}
where amount_cents >= 100
