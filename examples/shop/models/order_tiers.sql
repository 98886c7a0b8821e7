{{ config(
    materialized='table',
    execution_config={'pipeline.name': 'order_tiers'},
    connector_properties={
        'connector': 'filesystem',
        'format': 'csv',
        'path': var('output_dir') ~ '/order_tiers'
    }
) }}

-- Each order with the tier that its customer had at that time.
select
    orders.order_number,
    orders.customer_id,
    customers.tier
from {{ source('raw', 'orders') }} as orders
left join {{ ref('current_customers') }} for system_time as of orders.ordered_at as customers
    on orders.customer_id = customers.customer_id
