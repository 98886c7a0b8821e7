{{ config(materialized='view') }}

-- The newest row of each customer. Flink sees a table with versions in it, which orders can be joined with in time.
select customer_id, tier, changed_at
from (
    select *, row_number() over (partition by customer_id order by changed_at desc) as newest
    from {{ source('raw', 'customers') }}
)
where newest = 1
